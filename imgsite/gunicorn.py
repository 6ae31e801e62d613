"""How gunicorn serves the site: threads in few processes, each of which loads its model after it was forked."""

import logging
import os
import threading

logger = logging.getLogger("imgsite.gunicorn")

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
# Each process holds the model and, on the embedded engine, the vectors: more processes need more memory.
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60  # seconds
graceful_timeout = 10
keepalive = 5
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
    if _warming.is_alive():
        _warming.join(graceful_timeout)


def _warm() -> None:
    from django.conf import settings
    from django.db import DatabaseError, connection
    from django.urls import get_resolver
    from PIL import Image

    from search.encoders import encoder_for, get_encoder
    from search.encoders.slot import EncoderBusy, encode_one
    from search.engines import get_engine
    from search.engines.base import EngineError
    from search.models import Generation

    try:
        _ = get_resolver().url_patterns  # imports all views
        live = Generation.objects.live()
        encoder = get_encoder(settings.SEARCH_ENCODER) if live is None else encoder_for(live.encoder)
        # Loading is half of it: the first pictures through a model are slow, too.
        encode_one(encoder, Image.linear_gradient("L").convert("RGB"))
        if live is not None:
            _ = live.projection, live.scale  # kept by the process
            get_engine(live.engine).warm(live.pk)
    except (DatabaseError, EngineError, EncoderBusy, LookupError) as error:
        # The site serves without it: whoever searches first waits, or is told what is wrong.
        logger.warning("Model and index are not loaded ahead of the first search: %s", error)
    finally:
        connection.close()


# One a process: gunicorn reads this file before it forks, and each worker starts its own copy.
_warming = threading.Thread(target=_warm, name="warm", daemon=True)
