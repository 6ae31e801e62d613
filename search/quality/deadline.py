"""How long photos may ask."""

import time


class Deadline:
    """How long a task may ask. Queries come in random order, so what was asked until then is a random sample, too."""

    def __init__(self, seconds: float):
        self._end = time.monotonic() + seconds

    @property
    def has_passed(self) -> bool:
        return time.monotonic() >= self._end
