"""Backups under a passphrase: there and back, and ways in which one can be damaged, cut off or put together anew."""

import io
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from imgsite.backup.archive import ArchiveError, ArchiveWriter
from imgsite.backup.encryption import CHUNK, MAGIC, PassphraseError, decrypted, encrypting, open_archive

SECRET = "correct horse battery staple"
SEALED = CHUNK + 16
START = len(MAGIC) + 16


def sealed(content: bytes, secret: str = SECRET) -> bytes:
    stream = io.BytesIO()
    with encrypting(stream, secret) as writer:
        for start in range(0, len(content), 100_000):
            writer.write(content[start : start + 100_000])
    return stream.getvalue()


def opened(content: bytes, secret: str = SECRET) -> bytes:
    return decrypted(io.BytesIO(content), "it", secret).read()


@pytest.fixture(scope="module")
def content() -> bytes:
    """Three whole chunks and a short one."""
    return os.urandom(3 * CHUNK + 1000)


@pytest.fixture(scope="module")
def whole(content) -> bytes:
    return sealed(content)


def chunks_of(whole: bytes) -> list[bytes]:
    return [whole[start : start + SEALED] for start in range(START, len(whole), SEALED)]


# --- There and back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_what_is_sealed_is_opened_as_it_was(size):
    content = os.urandom(size)
    assert opened(sealed(content)) == content


def test_any_part_can_be_read(content, whole):
    stream = decrypted(io.BytesIO(whole), "it", SECRET)
    for start, size in ((0, 10), (CHUNK - 5, 10), (len(content) - 7, 100), (2 * CHUNK, CHUNK + 20), (3, 0)):
        stream.seek(start)
        assert stream.read(size) == content[start : start + size]
    assert stream.seek(-9, io.SEEK_END) == len(content) - 9
    assert stream.read() == content[-9:]


def test_nothing_can_be_read_of_it_and_no_two_are_alike():
    content = b"the hash of a password" * 1000
    one, other = sealed(content), sealed(content)
    assert one.startswith(MAGIC) and b"password" not in one
    assert one[len(MAGIC) : START] != other[len(MAGIC) : START]
    assert one[START : START + 64] != other[START : START + 64]


def test_letters_of_a_passphrase_may_be_composed_in_two_ways():
    assert opened(sealed(b"x", "sechs schöne Wörter"), "sechs scho\u0308ne Wo\u0308rter") == b"x"


# --- What is refused ----------------------------------------------------------------------------------


def test_another_passphrase(whole):
    with pytest.raises(PassphraseError, match="the passphrase is another one"):
        opened(whole, "correct horse battery stable")


@pytest.mark.parametrize(
    "cut", [1, 999, 1016, 1016 + SEALED, 1017 + SEALED, 1016 + 2 * SEALED, 1016 + 3 * SEALED + 5, 10**9]
)
def test_a_file_that_is_cut_off_is_not_opened(whole, cut):
    with pytest.raises(ArchiveError):
        opened(whole[: max(len(MAGIC), len(whole) - cut)])


def put_together(whole: bytes, how: str) -> bytes:
    start, chunks = whole[:START], chunks_of(whole)
    other = chunks_of(sealed(os.urandom(3 * CHUNK + 1000)))
    return start + b"".join(
        {
            "swapped": [chunks[0], chunks[2], chunks[1], chunks[3]],
            "one left out": [chunks[0], chunks[2], chunks[3]],
            "one twice": [chunks[0], chunks[1], chunks[1], chunks[3]],
            "one of another": [chunks[0], other[1], *chunks[2:]],
            "more behind": [*chunks, b"x" * 40],
            "a bit": [chunks[0], bytes([chunks[1][0] ^ 1]) + chunks[1][1:], *chunks[2:]],
        }[how]
    )


@pytest.mark.parametrize("how", ["swapped", "one left out", "one twice", "one of another", "more behind", "a bit"])
def test_what_was_not_written_so_is_found(whole, how):
    with pytest.raises(ArchiveError, match="damaged"):
        opened(put_together(whole, how))


def test_a_changed_beginning_is_found(whole):
    changed = bytearray(whole)
    changed[len(MAGIC)] ^= 1  # of the salt
    with pytest.raises(PassphraseError):
        opened(bytes(changed))


def test_what_ends_badly_has_no_end():
    stream = io.BytesIO()
    with pytest.raises(ZeroDivisionError), encrypting(stream, SECRET) as writer:
        writer.write(b"x" * CHUNK * 3)
        raise ZeroDivisionError
    with pytest.raises(ArchiveError):
        opened(stream.getvalue())


# --- Asking for it ------------------------------------------------------------------------------------


def archive(path: Path, secret: str) -> Path:
    """The smallest backup that there can be."""
    with path.open("wb") as file, encrypting(file, secret) as stream:
        writer = ArchiveWriter(stream)
        with writer.member("files.jsonl") as (_content, member):
            pass
        files = {"count": 0} | member.as_json()
        nothing: dict = {"migrations": [], "tables": [], "settings": {}, "missing": [], "changed": []}
        writer.finish({"format": 1, "made_at": "2026-01-01T00:00", "database": "sqlite", "files": files} | nothing)
    return path


def test_an_archive_is_known_to_be_encrypted(tmp_path, monkeypatch):
    path = archive(tmp_path / "backup.zip", SECRET)
    monkeypatch.setenv("BACKUP_PASSPHRASE", SECRET)
    said = io.StringIO()
    call_command("backup", str(path), "--verify", stdout=said)
    assert "is whole: 2 members" in said.getvalue()
    with path.open("rb") as stream:
        assert open_archive(stream, "it").tables == []
    monkeypatch.setenv("BACKUP_PASSPHRASE", "something else")
    with pytest.raises(CommandError, match="the passphrase is another one"):
        call_command("backup", str(path), "--verify")
    monkeypatch.delenv("BACKUP_PASSPHRASE")
    with pytest.raises(CommandError, match="Set BACKUP_PASSPHRASE"):
        call_command("backup", str(path), "--verify")


@pytest.mark.parametrize(("secret", "reason"), [("", "Set BACKUP_PASSPHRASE"), ("too short", "at least 12 characters")])
def test_a_backup_needs_a_passphrase_that_is_one(tmp_path, monkeypatch, secret, reason):
    monkeypatch.setenv("BACKUP_PASSPHRASE", secret)
    with pytest.raises(CommandError, match=reason):
        call_command("backup", str(tmp_path / "backup.zip"), "--encrypt")
    assert list(tmp_path.iterdir()) == []
