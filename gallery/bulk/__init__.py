"""Bulk edits: what one does to a product, what it would do to all of them, doing it, and undoing it."""
