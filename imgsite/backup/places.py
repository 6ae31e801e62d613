"""Where an archive lies: a path, or ``s3://bucket/key``."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, cast

from botocore.exceptions import ClientError

from gallery import buckets


class PlaceError(Exception):
    """An archive cannot be written or read there; the text is a sentence for a person."""


class Place(Protocol):
    def exists(self) -> bool: ...

    def delete(self) -> None: ...

    def writing(self) -> AbstractContextManager[IO[bytes]]:
        """A stream; what was written is there once the body ends well, and nothing is there when it does not."""

    def reading(self) -> IO[bytes]:
        """:raises PlaceError: when there is nothing"""


def place(text: str) -> "LocalFile | BucketObject":
    """
    :raises PlaceError: for an address that names no object
    """
    if not text.startswith("s3://"):
        return LocalFile(Path(text))
    bucket, _slash, key = text.removeprefix("s3://").partition("/")
    if not bucket or not key or key.endswith("/"):
        raise PlaceError(f"{text} names no object. Write s3://bucket/name.zip.")
    return BucketObject(bucket, key)


class LocalFile:
    def __init__(self, path: Path):
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        return self.path.exists()

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[IO[bytes]]:
        """Only its owner may read it: it holds the hashes of passwords.

        :raises PlaceError: also where another backup has taken the path meanwhile; that one stays
        """
        part: Path | None = None
        try:
            # A name of its own: two backups to one path must not write into one file.
            opened, name = tempfile.mkstemp(prefix=f"{self.path.name}.", suffix=".part", dir=self.path.parent)
            part = Path(name)
            with os.fdopen(opened, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if self.exists():
                raise PlaceError(f"{self.path} is there already: another backup was written to it meanwhile.")
            part.replace(self.path)
        except OSError as error:
            raise PlaceError(f"{self.path} cannot be written: {error.strerror or error}") from error
        finally:
            if part is not None:
                with suppress(OSError):
                    part.unlink(missing_ok=True)

    def reading(self) -> IO[bytes]:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise PlaceError(f"{self.path} cannot be read: {error.strerror or error}") from error


class BucketObject:
    def __init__(self, bucket: str, key: str):
        self.bucket, self.key = bucket, key

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def exists(self) -> bool:
        try:
            buckets.client().head_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise PlaceError(f"{self} cannot be reached: {error}") from error
        except buckets.FAULTS as error:
            raise PlaceError(f"{self} cannot be reached: {error}") from error
        return True

    def delete(self) -> None:
        buckets.client().delete_object(Bucket=self.bucket, Key=self.key)

    @contextmanager
    def writing(self) -> Iterator[IO[bytes]]:
        try:
            with buckets.ObjectWriter(self.bucket, self.key) as writer:
                yield cast(IO[bytes], writer)
        except buckets.FAULTS as error:
            raise PlaceError(f"{self} cannot be written: {error}") from error

    def reading(self) -> IO[bytes]:
        try:
            return buckets.reader(self.bucket, self.key)
        except FileNotFoundError as error:
            raise PlaceError(f"{self} is not there.") from error
        except buckets.FAULTS as error:
            raise PlaceError(f"{self} cannot be read: {error}") from error
