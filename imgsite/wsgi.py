"""WSGI entry point, served by gunicorn (see imgsite/gunicorn.py)."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imgsite.settings")
application = get_wsgi_application()
# An answer makes thousands of objects, few of them in cycles. Looking for those at every 700th object (Python's own
# setting) takes a twelfth of the processor time of a search.
gc.set_threshold(20_000, 20, 20)
