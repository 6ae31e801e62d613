"""What a moderator should know before looking: whether a photo may be unsafe to look at, and whether it shows faces."""

from search.safety.looks import Looks, looks_of

__all__ = ["Looks", "looks_of"]
