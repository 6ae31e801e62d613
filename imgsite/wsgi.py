"""WSGI entry point, served by gunicorn (see imgsite/gunicorn.py)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imgsite.settings")
application = get_wsgi_application()
