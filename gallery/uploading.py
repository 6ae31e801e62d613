"""What arrives over the network, before anything looks at it."""

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class CutAboveLimit(FileUploadHandler):
    """Lets one byte more through than an image may have, and drops the rest as it arrives.

    So an endless upload fills no disk, while the form beside it is read and verification refuses the file by its name.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        room = settings.MAX_IMAGE_BYTES + 1 - start
        return raw_data[:room] if room > 0 else None

    def file_complete(self, file_size: int) -> UploadedFile | None:
        return None  # a later handler has the file
