"""Archives under a passphrase: chunks are sealed one by one, so that any can be read, and none be changed or moved.

A file begins with ``MAGIC`` and a salt of 16 bytes. Chunks of 256 KiB follow, the last one shorter, each encrypted by
AES-256-GCM and followed by its tag of 16 bytes. The key is scrypt's (n = 2^17, r = 8, p = 1) of the passphrase and the
salt. A chunk's nonce is its number from 0 (11 bytes, the highest first) and one byte that is 1 for the last chunk and 0
for others; the file's beginning is authenticated with each. So a chunk in another place, a chunk of another file and an
end that is missing are all found (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

import getpass
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from imgsite.backup.archive import Archive, ArchiveError

MAGIC = b"sealed-backup/1\n"
VARIABLE = "BACKUP_PASSPHRASE"
SHORTEST = 12  # characters of a new passphrase
CHUNK = 256 * 1024  # bytes before they are sealed
_SALT, _TAG = 16, 16  # bytes
_START = len(MAGIC) + _SALT
_SEALED = CHUNK + _TAG


class PassphraseError(ArchiveError):
    """There is no passphrase, or not the right one; the text is a sentence for a person."""


def passphrase(*, new: bool) -> str:
    """From the environment, or else asked for on the terminal.

    :param new: for an archive that is made: asked for twice, and not too short
    :raises PassphraseError: when there is none that can be used
    """
    given = os.environ.get(VARIABLE, "")
    if not given and sys.stdin is not None and sys.stdin.isatty():
        given = getpass.getpass("Passphrase of the backup: ")
        if new and getpass.getpass("Once more: ") != given:
            raise PassphraseError("These were two different passphrases. Nothing was written.")
    if not given:
        raise PassphraseError(f"Set {VARIABLE} to the passphrase, or run this on a terminal: it is asked for there.")
    if new and len(given) < SHORTEST:
        raise PassphraseError(f"The passphrase is too short: take at least {SHORTEST} characters, or some words.")
    return given


def open_archive(stream: IO[bytes], name: str) -> Archive:
    """An archive that may be encrypted; then the passphrase is asked for.

    :raises ArchiveError: when it is none, is damaged or cut off, or the passphrase is another one
    """
    start = stream.read(len(MAGIC))
    stream.seek(0)
    return Archive(decrypted(stream, name, passphrase(new=False)) if start == MAGIC else stream, name)


@contextmanager
def encrypting(stream: IO[bytes], passphrase: str) -> Iterator[IO[bytes]]:
    """A stream that is encrypted onto another one. It has an end only if the body ends well."""
    writer = _Sealing(stream, passphrase)
    yield cast(IO[bytes], writer)
    writer.finish()


def decrypted(stream: IO[bytes], name: str, passphrase: str) -> IO[bytes]:
    """An encrypted file to read and seek in.

    :raises PassphraseError: when the passphrase is another one
    :raises ArchiveError: when the file is cut off; from reading, when it is damaged
    """
    return io.BufferedReader(_Sealed(stream, name, passphrase), CHUNK)


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    secret = unicodedata.normalize("NFC", passphrase).encode()
    return AESGCM(Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(secret))


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class _Sealing(io.RawIOBase):
    def __init__(self, stream: IO[bytes], passphrase: str):
        salt = os.urandom(_SALT)
        self._stream, self._start, self._cipher = stream, MAGIC + salt, _cipher(passphrase, salt)
        self._waiting = bytearray()
        self._number = 0
        stream.write(self._start)

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._waiting += content
        # The last chunk is known only at the end, so one always waits.
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), is_last=False)
            del self._waiting[:CHUNK]
        return len(content)

    def finish(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        self._stream.write(self._cipher.encrypt(_nonce(self._number, is_last), chunk, self._start))
        self._number += 1


class _Sealed(io.RawIOBase):
    def __init__(self, stream: IO[bytes], name: str, passphrase: str):
        self._stream, self._name, self._at = stream, name, 0
        size = stream.seek(0, io.SEEK_END) - _START
        self._chunks = -(-size // _SEALED)
        self._size = size - self._chunks * _TAG
        if size < _TAG or size - (self._chunks - 1) * _SEALED < _TAG:
            raise ArchiveError(f"{name} is damaged: it is cut off.")
        stream.seek(0)
        self._start = stream.read(_START)
        self._cipher = _cipher(passphrase, self._start[len(MAGIC) :])
        self._number, self._chunk = -1, b""  # the one that was opened last
        try:
            self._open(0)
        except ArchiveError as error:
            raise PassphraseError(
                f"{name} cannot be opened: the passphrase is another one, or the archive is damaged."
            ) from error
        self._open(self._chunks - 1)  # what is cut off does not end in a chunk that was the last

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, begin + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        number, start = divmod(self._at, CHUNK)
        content = self._open(number)[start : start + len(buffer)]
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def _open(self, number: int) -> bytes:
        if number != self._number:
            self._stream.seek(_START + number * _SEALED)
            sealed = self._stream.read(_SEALED)
            try:
                chunk = self._cipher.decrypt(_nonce(number, number == self._chunks - 1), sealed, self._start)
            except InvalidTag as error:
                raise ArchiveError(
                    f"{self._name} is damaged or cut off: part {number + 1} of {self._chunks} is not what was written."
                ) from error
            self._number, self._chunk = number, chunk
        return self._chunk
