"""Backups: one archive of rows, files and the settings that matter, and an installation made again from it.

The archive is a ZIP that is written as a stream: ``rows/…jsonl`` (one member for each table), ``files/…`` (originals
and other files that rows name, as they are stored), ``files.jsonl`` (their hashes), and at its end ``manifest.json``,
which has the hash of everything else. It fits any database that the application runs on. The whole of it may be
encrypted with a passphrase.
"""
