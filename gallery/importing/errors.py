class SourceError(Exception):
    """A source, or one of its files, that cannot be read; the text says what to do."""
