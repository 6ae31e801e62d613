"""The archive itself: members with their hashes, written as a stream and read back with every byte checked."""

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

FORMAT = 1
MANIFEST, FILES = "manifest.json", "files.jsonl"
CHUNK = 1024 * 1024
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, KeyError, TypeError, RuntimeError)
# What a manifest and its entries have, so that one that was changed is told of before anything is done.
_PARTS = {"settings": dict, "migrations": list, "tables": list, "files": dict, "missing": list, "changed": list}
_MEMBER = {"member": str, "sha256": str, "bytes": int}
_TABLE = _MEMBER | {"model": str, "rows": int}
_FILE = _MEMBER | {"storage": str, "name": str}


class ArchiveError(Exception):
    """The archive is none, or is damaged; the text is a sentence for a person."""


@dataclass
class Member:
    """One entry of the archive. ``sha256`` and ``bytes`` are of its content, not of how it is packed."""

    name: str
    sha256: str = ""
    bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        return {"member": self.name, "bytes": self.bytes, "sha256": self.sha256}


class _Counted(io.RawIOBase):
    """Passes on what is written, and keeps its length and hash."""

    def __init__(self, stream: IO[bytes]):
        self._stream, self.hash, self.size = stream, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._stream.write(content)
        self.hash.update(content)
        self.size += len(content)
        return len(content)


class _Read(io.RawIOBase):
    """A member that is read. Faults of the archive get their name here; those of whoever reads are left alone."""

    def __init__(self, stream: IO[bytes], archive: str, member: str):
        self._stream, self._archive, self._member = stream, archive, member

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with self._faults():
            return self._stream.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        with self._faults():
            content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (*_DAMAGED, OSError) as error:
            raise _unreadable(self._archive, self._member, error) from error


def _has(entry: Any, parts: Mapping[str, type]) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(name), kind) for name, kind in parts.items())


def _unreadable(archive: str, member: str, error: Exception) -> ArchiveError:
    return ArchiveError(f"{archive} is damaged: {member} cannot be read ({error}).")


class ArchiveWriter:
    """Adds members one after another to a stream that need not be seekable."""

    def __init__(self, stream: IO[bytes]):
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)

    @contextmanager
    def member(self, name: str, packed: bool = True) -> Iterator[tuple[IO[bytes], Member]]:
        """A stream to write the content to; the member's hash is known when the body has ended.

        :param packed: whether packing pays: photographs are packed already
        """
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr = 0o600 << 16
        member = Member(name)
        with self._zip.open(info, "w", force_zip64=True) as stream:
            counted = _Counted(stream)
            buffered = io.BufferedWriter(counted, CHUNK)
            yield buffered, member  # type: ignore[misc]
            buffered.flush()
            buffered.detach()
        member.sha256, member.bytes = counted.hash.hexdigest(), counted.size

    def abandon(self) -> None:
        """Write no more; otherwise the directory of an archive would follow when this object goes."""
        self._zip.fp = None

    def finish(self, manifest: dict[str, Any]) -> None:
        with self.member(MANIFEST) as (stream, _member):
            stream.write(json.dumps(manifest, indent=1).encode())
        self._zip.close()


class Archive:
    """An archive that is read.

    :raises ArchiveError: when it is none, is cut off, or has a format that this release does not know
    """

    def __init__(self, stream: IO[bytes], name: str):
        self.name = name
        try:
            self._zip = zipfile.ZipFile(stream)
            self.manifest: dict[str, Any] = json.loads(self._zip.read(MANIFEST))
            known = self.manifest["format"]
            if known == FORMAT:
                self._check_manifest()
        except (*_DAMAGED, OSError) as error:
            raise ArchiveError(f"{name} is no backup, or is damaged or cut off: {error}") from error
        if known != FORMAT:
            raise ArchiveError(f"{name} has format {known}; this release reads format {FORMAT}. Use the one it is of.")

    def _check_manifest(self) -> None:
        """:raises ValueError: for a part that is not there, or of another kind"""
        whole = _has(self.manifest, _PARTS) and _has(self.manifest["files"], _MEMBER | {"count": int})
        if not whole or not all(_has(table, _TABLE) for table in self.manifest["tables"]):
            raise ValueError("its manifest is not as one is written")

    @property
    def tables(self) -> list[dict[str, Any]]:
        return self.manifest["tables"]

    def verify(self) -> int:
        """Read everything and compare it with the manifest.

        :return: how many members there are
        :raises ArchiveError: naming the first member that is damaged, missing or too many
        """
        listed = {MANIFEST, FILES}
        for table in self.tables:
            rows = self._check(table)
            if rows != table["rows"]:
                raise ArchiveError(f"{self.name} is damaged: {table['member']} has {rows} rows, not {table['rows']}.")
            listed.add(table["member"])
        count = self._check(self.manifest["files"])
        if count != self.manifest["files"]["count"]:
            raise ArchiveError(f"{self.name} is damaged: {FILES} lists {count} files.")
        for entry in self.files():
            self._check(entry)
            listed.add(entry["member"])
        names = self._zip.namelist()
        if sorted(names) != sorted(listed):
            other = sorted(set(names) ^ listed)[:1] or ["a member"]
            raise ArchiveError(f"{self.name} is damaged: {other[0]} is not as the manifest says.")
        return len(names)

    def _check(self, entry: dict[str, Any]) -> int:
        """:return: the lines of the member"""
        digest, size, lines = hashlib.sha256(), 0, 0
        for chunk in self.chunks(entry["member"]):
            digest.update(chunk)
            size += len(chunk)
            lines += chunk.count(b"\n")
        if (digest.hexdigest(), size) != (entry["sha256"], entry["bytes"]):
            raise ArchiveError(f"{self.name} is damaged: {entry['member']} is not what was written.")
        return lines

    def chunks(self, member: str) -> Iterator[bytes]:
        with self.reading(member) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def lines(self, member: str) -> Iterator[Any]:
        """The JSON values of a member, one a line."""
        with self.reading(member) as stream:
            try:
                for line in io.TextIOWrapper(stream, encoding="utf-8"):
                    yield json.loads(line)
            except ValueError as error:
                raise _unreadable(self.name, member, error) from error

    def files(self) -> Iterator[dict[str, Any]]:
        """``{"member", "bytes", "sha256", "storage", "name"}`` of each file that rows name."""
        for entry in self.lines(FILES):
            if not _has(entry, _FILE):
                raise ArchiveError(f"{self.name} is damaged: {FILES} is not as one is written.")
            yield entry

    @contextmanager
    def reading(self, member: str) -> Iterator[IO[bytes]]:
        """:raises ArchiveError: when the member is not there; from reading, when it is damaged"""
        try:
            stream = self._zip.open(member)
        except (*_DAMAGED, OSError) as error:
            raise _unreadable(self.name, member, error) from error
        with stream:
            yield io.BufferedReader(_Read(stream, self.name, member), CHUNK)
