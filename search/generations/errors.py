"""What cannot be done with a generation."""


class GenerationError(Exception):
    """What was asked of a generation cannot be done; the text says why and what to do."""
