"""The environment of a test run, set before Django reads its settings (pytest loads this with ``-p``)."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Always a fresh folder: an exported DATA_DIR may be somebody's real one.
_folder = tempfile.mkdtemp(prefix="imgsite-tests-")
os.environ["DATA_DIR"] = _folder
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["DEBUG"] = "false"
os.environ["HTTPS"] = "false"
os.environ["STATIC_MANIFEST"] = "false"
os.environ["SECRET_KEY"] = "of-the-test-run-alone-and-long-enough-for-django"
os.environ["ALLOWED_HOSTS"] = "testserver,localhost,127.0.0.1"
os.environ["SHOP_CURRENCY"] = "EUR"
os.environ["THROTTLE_SEARCH"] = os.environ["THROTTLE_PHOTO"] = "100000/min"
# Two thousand names take the model a minute, which indexing loops would spend in every test that starts one. Tests of
# words have a text encoder of their own.
os.environ["TEXT_ENCODER"] = ""
if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores: threads of their own would only wait for each other there.
    for _name in ("TORCH_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[_name] = "1"
for _name in ("SEARCH_URL", "S3_BUCKET", "S3_ENDPOINT_URL", "CACHE_URL", "DATABASE_CONN_MAX_AGE"):
    os.environ.pop(_name, None)
if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
else:
    os.environ["DATABASE_URL"] = f"sqlite:///{Path(os.environ['DATA_DIR']) / 'db.sqlite3'}"
