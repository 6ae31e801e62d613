"""Signing in and up, by django-allauth: what is particular to this site."""
