"""S3 beside the configured storages: one object read from any place in it, or written as a stream."""

import io
from contextlib import suppress
from functools import cached_property
from types import TracebackType
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

PART_BYTES = 64 * 1024 * 1024  # S3 takes 10,000 parts: 640 GB
_READ_BYTES = 4 * 1024 * 1024
FAULTS = (BotoCoreError, ClientError)


def client() -> Any:
    """A client with the credentials of ``S3_ACCESS_KEY`` and its like, or those of the machine."""
    connection = settings.S3_CONNECTION
    return boto3.client(
        "s3",
        endpoint_url=connection["endpoint_url"],
        region_name=connection["region_name"],
        aws_access_key_id=connection["access_key"],
        aws_secret_access_key=connection["secret_key"],
    )


def reader(bucket: str, key: str) -> io.BufferedReader:
    """An object to read and seek in, in ranges of some megabytes.

    :raises FileNotFoundError: when there is no such object
    :raises OSError: from reading, when the object is another one by then
    """
    return io.BufferedReader(_Ranges(bucket, key), _READ_BYTES)


class _Ranges(io.RawIOBase):
    def __init__(self, bucket: str, key: str):
        self._client, self._place = client(), {"Bucket": bucket, "Key": key}
        try:
            head = self._client.head_object(**self._place)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise FileNotFoundError(f"s3://{bucket}/{key}") from error
            raise
        self._size, self._etag, self._at = head["ContentLength"], head["ETag"], 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        end = min(self._size, self._at + len(buffer))
        if end <= self._at:
            return 0
        try:
            answer = self._client.get_object(**self._place, Range=f"bytes={self._at}-{end - 1}", IfMatch=self._etag)
            content = answer["Body"].read()
        except FAULTS as error:
            raise OSError(f"s3://{self._place['Bucket']}/{self._place['Key']}: {error}") from error
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


class ObjectWriter(io.RawIOBase):
    """An object that is there as a whole once ``with`` ends well, and not at all when it ends badly."""

    def __init__(self, bucket: str, key: str, part_bytes: int = PART_BYTES):
        self._place = {"Bucket": bucket, "Key": key}
        self._part_bytes = part_bytes
        self._waiting = bytearray()
        self._parts: list[dict[str, Any]] = []

    @cached_property
    def _client(self) -> Any:
        return client()

    @cached_property
    def _upload(self) -> dict[str, str]:
        return self._place | {"UploadId": self._client.create_multipart_upload(**self._place)["UploadId"]}

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._waiting += content
        while len(self._waiting) >= self._part_bytes:
            self._send(self._part_bytes)
        return len(content)

    def _send(self, size: int) -> None:
        number = len(self._parts) + 1
        sent = self._client.upload_part(**self._upload, PartNumber=number, Body=bytes(self._waiting[:size]))
        del self._waiting[:size]
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    def __enter__(self) -> "ObjectWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abort()
        elif not self._parts:
            self._client.put_object(**self._place, Body=bytes(self._waiting))
        else:
            try:
                self._complete()
            except BaseException:
                self._abort()
                raise

    def _complete(self) -> None:
        if self._waiting:
            self._send(len(self._waiting))
        self._client.complete_multipart_upload(**self._upload, MultipartUpload={"Parts": self._parts})

    def _abort(self) -> None:
        """Parts that are left behind are paid for and not seen. What went wrong before is what is told."""
        if "_upload" in self.__dict__:
            with suppress(*FAULTS):
                self._client.abort_multipart_upload(**self._upload)
