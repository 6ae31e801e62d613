class SourceError(Exception):
    """A source, or one of its files, that cannot be read; the text says what to do."""


class RowError(Exception):
    """A row that cannot be imported; the text says why and what to do."""
