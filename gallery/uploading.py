"""What arrives over the network, before anything looks at it."""

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

View = TypeVar("View", bound=Callable)


def takes_files_of(most_bytes: Callable[[HttpRequest], int]) -> Callable[[View], View]:
    """Let a view take larger files than images may be. Asked before the body is read, so also for strangers."""

    def mark(view: View) -> View:
        view.most_bytes = most_bytes  # type: ignore[attr-defined]
        return view

    return mark


class CutAboveLimit(FileUploadHandler):
    """Lets one byte more through than an image, or whatever the view takes, may have, and drops the rest as it arrives.

    So an endless upload fills no disk, while the form beside it is read and verification refuses the file by its name.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        room = self._most_bytes() + 1 - start
        return raw_data[:room] if room > 0 else None

    def _most_bytes(self) -> int:
        match = getattr(self.request, "resolver_match", None)
        asked = getattr(match.func, "most_bytes", None) if match else None
        return asked(self.request) if asked and self.request else settings.MAX_IMAGE_BYTES

    def file_complete(self, file_size: int) -> UploadedFile | None:
        return None  # a later handler has the file
