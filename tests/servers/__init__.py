"""The real servers that tests, development and the bench run against. ``python -m tests.servers --help``."""
