"""How gunicorn serves the site: threads in few processes, each of which loads its model after it was forked."""

import os
import threading

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
# Each process holds the model and, on the embedded engine, the vectors: more processes need more memory.
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60  # seconds
graceful_timeout = 10
keepalive = 5
limit_request_line = 8190  # bytes, the most there is: the way back from a product to a long search is an address
accesslog = None
errorlog = "-"
loglevel = "warning"
# Requests run beside each other already. OpenBLAS's threads would wait for each other on the cores that they share with
# Elasticsearch or other requests, and burn more time than they save. NumPy reads this when a worker imports it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# torch does not survive a fork: nothing of the application may be loaded before it.
preload_app = False


def post_worker_init(worker: object) -> None:
    """Load model and index beside the first requests, so that the first search does not wait for them."""
    _warming.start()


def worker_exit(server: object, worker: object) -> None:
    """Let loading come to its end: an interpreter that ends in the middle of importing torch aborts."""
    _stopping.set()
    if _warming.is_alive():
        _warming.join(graceful_timeout)


def _warm() -> None:
    """Load what searches need now, then keep looking for what they will need once another generation is live."""
    from search.warming import Warming

    warming = Warming()
    while not _stopping.is_set():
        warming.look()
        _stopping.wait(_LOOK_SECONDS)


# One a process: gunicorn reads this file before it forks, and each worker starts its own copy.
_LOOK_SECONDS = 5
_stopping = threading.Event()
_warming = threading.Thread(target=_warm, name="warm", daemon=True)
