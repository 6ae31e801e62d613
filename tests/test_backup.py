"""Backup and restore: between installations of their own and both databases, to a path and to S3; damaged archives."""

import errno
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.files.storage import FileSystemStorage, storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from gallery import buckets
from gallery.intake import replace_file
from gallery.models import Image, Product, Role, User
from gallery.storage import sha256_of, walk
from imgsite.backup import places, tables
from imgsite.backup.archive import FILES, Archive, ArchiveError, ArchiveWriter
from imgsite.backup.encryption import MAGIC
from imgsite.backup.saving import back_up
from search.models import Generation
from tests.catalogue import add_product
from tests.pictures import jpeg
from tests.site import Site

# Makes a shop with one of everything that a backup has to bring back.
FURNISH = """
import json, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
import io
from datetime import timedelta
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.utils import timezone
from gallery.models import *
from gallery.renditions import rendition
from search.models import *
from tests.catalogue import add_product
add_product("RED-CIRCLE", "circle", "red", category="Round/Discs", tags=["warm", "plain"])
add_product("RED-CIRCLE-2", "circle", "#e01010", category="Round/Discs", price="30.00", photos=3)
add_product("BLUE-SQUARE", "square", "blue", category="Angular", brand="Öst", attributes={"size": ["S", "M"]})
add_product("GREEN-STRIPES", "stripes", "green", category="Angular", brand="Öst", price=None)
staff = User.objects.create_user("staff", "staff@example.com", "a long password")
staff.groups.add(Group.objects.get(name=Role.STAFF))
staff.user_permissions.add(Permission.objects.get(codename="change_image"))
photo = Image.objects.order_by("pk").first()
photo.reject(staff, "too dark")
photo.approve(staff)
rendition(photo, "webp", 320)
saved = Collection.objects.default_of(staff)
saved.add(photo)
Report.objects.make(photo, "wrong", "a note\\nof two lines", user=staff, session_key="")
LogEntry.objects.create(user=staff, content_type=ContentType.objects.get_for_model(Image), action_flag=ADDITION,
                        object_id=str(photo.pk), object_repr="a photo")
job = Job.objects.create(kind="export", state="done", created_by=staff)
job.report.save("rows.csv", ContentFile(b"sku\\r\\nRED-CIRCLE\\r\\n"))
Job.objects.create(kind="export", state="running", created_by=staff)
QueryPhoto.objects.create(visitor="somebody", file="aa/bb/x.jpg", sha256="0" * 64, width=9, height=9)
call_command("index", "run", "--until-idle")
"""
# What a visitor gets: the answers of the API to words and to pictures, without what depends on the clock.
ASK = """
from django.test import Client
from gallery.models import Image
def ask(**asked):
    answer = Client().get("/api/v1/search", asked).json()
    return {name: answer[name] for name in ("hits", "total", "facets", "notes")}
answers = [ask(image_id=str(pk), weaker="1") for pk in Image.objects.order_by("pk").values_list("pk", flat=True)]
answers += [ask(q="circle"), ask(q="Öst"), ask(color="red"), ask(category="Angular")]
assert all(answer["hits"] for answer in answers)
"""
# All rows of all tables that a backup holds, as the database has them, and the password that still opens the account.
ROWS = """
from django.contrib.auth import authenticate
from django.core.serializers.json import DjangoJSONEncoder
from imgsite.backup import tables
def plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else value.hex() if isinstance(value, bytes) else value
found = {}
for model in tables.kept_models():
    names = [field.attname for field in model._meta.concrete_fields if field.remote_field is None
             or field.remote_field.model not in tables.BY_NAME]
    rows = model._base_manager.order_by("pk").values_list(*names)
    found[model._meta.label] = [[plain(bytes(v) if isinstance(v, memoryview) else v) for v in row] for row in rows]
found["signed in"] = authenticate(username="staff", password="a long password").pk
found["may"] = sorted(authenticate(username="staff", password="a long password").get_all_permissions())
"""
RESTORE = """
import json, sys, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
said = sys.stderr
call_command("restore", sys.argv[1], stdout=said)
from gallery.models import *
Category.objects.at_path("New/Thing")  # whatever comes new gets a number of its own
for slug in ("thing", "new"):
    Category.objects.get(slug=slug).delete()
"""
TELL = """
from search.indexing.coverage import coverage
from search.indexing.reconcile import reconcile
from search.models import *
live = Generation.objects.get(state="live")
account = coverage(live)
print(json.dumps({
    "answers": answers, "rows": found, "note": live.note, "indexed": account.indexed, "waiting": account.waiting,
    "differences": reconcile(live).total, "left out": QueryPhoto.objects.count() + Rendition.objects.count(),
    "jobs": sorted(Job.objects.values_list("state", flat=True)), "model": "torch" in sys.modules,
}, cls=DjangoJSONEncoder))
"""
# Encoders cannot even be made: whoever runs one fails.
NO_MODEL = {"SEARCH_ENCODERS": json.dumps({"efficientnet-lite2": {"BACKEND": "nowhere.Nothing"}})}
CHANGED = ("search.Generation", "gallery.Job")  # by restoring, on purpose


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> dict:
    """An installation whose index was fitted to its catalogue, what it answers and holds, and its backup."""
    folder = tmp_path_factory.mktemp("shop")
    site, archive = Site(folder, SEARCH_FIT_AT="4"), folder / "backup.zip"
    told = site.run("-c", f"import sys{FURNISH}{ASK}{ROWS}call_command('backup', {str(archive)!r}){TELL}")
    said, _line, answers = told.strip().rpartition("\n")
    assert "members were read back" in said
    return json.loads(answers) | {"site": site, "archive": archive}


@pytest.fixture
def archive(shop) -> Path:
    return shop["archive"]


def restored(folder: Path, archive: Path, database: str = "", then: str = "") -> tuple[Site, dict]:
    """A new installation made from a backup, and what it answers and holds. No model can be run there."""
    folder.mkdir()
    site = Site(folder, **NO_MODEL)
    if database:
        site.environment["DATABASE_URL"] = database
    told = site.run("-c", f"{RESTORE}{ASK}{ROWS}{then}{TELL}", str(archive))
    return site, json.loads(told.strip().splitlines()[-1])


def lines_of(archive: Path) -> dict[str, list]:
    """Table → its rows in an archive, all of which is checked."""
    with archive.open("rb") as stream:
        opened = Archive(stream, str(archive))
        opened.verify()
        return {table["model"]: list(opened.lines(table["member"])) for table in opened.tables}


def files_of(site: Site) -> dict[str, bytes]:
    root = Path(site.environment["DATA_DIR"])
    return {
        str(path.relative_to(root)): path.read_bytes()
        for alias in ("originals", "files")
        for path in (root / alias).rglob("*.*")
    }


def found_by_words(answer: dict) -> tuple:
    return sorted(hit["product"]["sku"] for hit in answer["hits"]), answer["total"], answer["facets"], answer["notes"]


def expect_the_same(told: dict, shop: dict, *, same_database: bool = True) -> None:
    assert told["rows"].keys() == shop["rows"].keys()
    for table, expected in shop["rows"].items():
        if table not in CHANGED:
            assert told["rows"][table] == expected, table
    asked = len(shop["rows"]["gallery.Image"])  # by a picture; then by words
    assert told["answers"][:asked] == shop["answers"][:asked]
    if same_database:
        assert told["answers"] == shop["answers"]
    # SQLite and PostgreSQL put words that fit alike into orders of their own.
    assert [found_by_words(answer) for answer in told["answers"]] == [found_by_words(one) for one in shop["answers"]]
    assert (told["indexed"], told["waiting"], told["differences"]) == (6, 0, 0)
    assert told["left out"] == 0
    assert told["jobs"] == ["cancelled", "done"]
    assert not told["model"]
    assert told["note"] == "Restored from a backup of generation 2."


# --- There and back -----------------------------------------------------------------------------------


def test_from_sqlite_to_sqlite(shop, archive, tmp_path):
    site, told = restored(tmp_path / "there", archive)
    expect_the_same(told, shop)
    assert files_of(site) == files_of(shop["site"])


def test_from_sqlite_to_postgresql_and_back(shop, archive, postgres_url, tmp_path):
    back = tmp_path / "back.zip"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored")
        try:
            database = postgres_url.rpartition("/")[0] + "/restored"
            _site, told = restored(
                tmp_path / "there", archive, database, f"call_command('backup', {str(back)!r}, stdout=said)\n"
            )
            expect_the_same(told, shop, same_database=False)
        finally:
            connection.execute("DROP DATABASE restored WITH (FORCE)")
    there_and_back, first = lines_of(back), lines_of(archive)
    assert there_and_back.keys() == first.keys()
    for table, expected in first.items():
        if table not in CHANGED:
            assert there_and_back[table] == expected, table


# --- In this process ----------------------------------------------------------------------------------


@pytest.fixture
def empty(transactional_db) -> Iterator[None]:
    """An installation without records; the files that a test leaves are deleted."""
    for role in Role.values:
        Group.objects.get_or_create(name=role)
    before = set(walk_all())
    yield
    for alias, name in set(walk_all()) - before:
        storages[alias].delete(name)


def walk_all() -> list[tuple[str, str]]:
    found = []
    for alias in ("originals", "default"):
        try:
            found += [(alias, name) for name in walk(storages[alias])]
        except FileNotFoundError:
            continue
    return found


def restoring(source: object, *options: str) -> str:
    said = io.StringIO()
    call_command("restore", str(source), *options, stdout=said)
    return said.getvalue()


def wipe() -> None:
    for product in Product.objects.all():
        product.delete()
    for model in reversed(tables.kept_models()):
        model._base_manager.all().delete()


def expect_nothing_changed(files: list[tuple[str, str]]) -> None:
    assert not Image.objects.exists()
    assert not Product.objects.exists()
    assert not User.objects.exists()
    assert not Generation.objects.exists()
    assert Group.objects.count() == len(Role.values)
    assert walk_all() == files


def test_by_way_of_a_bucket(empty, s3_server, settings):
    settings.S3_CONNECTION = {
        "endpoint_url": s3_server.endpoint_url,
        "region_name": s3_server.region,
        "access_key": s3_server.access_key,
        "secret_key": s3_server.secret_key,
    }
    target = f"s3://{s3_server.bucket}/backups/shop.zip"
    image = add_product("DRESS").images.get()
    call_command("backup", target)
    with pytest.raises(CommandError, match="there already"):
        call_command("backup", target)
    said = io.StringIO()
    call_command("backup", target, "--verify", stdout=said)
    assert "is whole" in said.getvalue()
    wipe()
    assert image.original.storage.exists(image.original.name) is False
    settings.STORAGES = settings.STORAGES | {
        "originals": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": settings.S3_CONNECTION | {"bucket_name": s3_server.bucket, "location": "restored"},
        }
    }
    assert "1 files" in restoring(target)
    assert Image.objects.get().sha256 == image.sha256
    assert sha256_of(storages["originals"], image.original.name) == (image.sha256, image.bytes)


def test_a_large_object_goes_in_parts_and_one_that_fails_is_not_there(s3_server, settings):
    settings.S3_CONNECTION = {
        "endpoint_url": s3_server.endpoint_url,
        "region_name": s3_server.region,
        "access_key": s3_server.access_key,
        "secret_key": s3_server.secret_key,
    }
    content = bytes(range(256)) * 21_000  # more than the smallest part that S3 takes
    with buckets.ObjectWriter(s3_server.bucket, "large", part_bytes=5 * 1024 * 1024) as writer:
        for start in range(0, len(content), 999_999):
            writer.write(content[start : start + 999_999])
    with buckets.reader(s3_server.bucket, "large") as stream:
        assert stream.read(len(content) + 1) == content
        stream.seek(-300, io.SEEK_END)
        assert stream.read(44) == content[-300:-256]
    with pytest.raises(ZeroDivisionError), buckets.ObjectWriter(s3_server.bucket, "half", 5 * 1024 * 1024) as writer:
        writer.write(content)
        raise ZeroDivisionError
    with pytest.raises(FileNotFoundError):
        buckets.reader(s3_server.bucket, "half")


# --- What is in it ------------------------------------------------------------------------------------


def test_an_archive_is_checked_without_a_database(archive, tmp_path):
    nowhere = Site(tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing")
    said = nowhere.manage("backup", "--verify", str(archive))
    assert "is whole" in said
    assert "6 gallery.Image" in said


def test_no_secret_is_in_it_and_only_its_owner_reads_it(empty, tmp_path, settings):
    User.objects.create_user("somebody", "somebody@example.com", "open sesame")
    secrets = {"SECRET_KEY": "kept-to-ourselves", "SEARCH_URL": "embedded:?password=hush-hush"}
    for name, value in secrets.items():
        setattr(settings, name, value)
    settings.S3_CONNECTION = settings.S3_CONNECTION | {"secret_key": "never-told"}
    path = tmp_path / "backup.zip"
    call_command("backup", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as members:
        everything = b"".join(members.read(name) for name in members.namelist())
        manifest = json.loads(members.read("manifest.json"))
    for secret in ("kept-to-ourselves", "hush-hush", "never-told", "open sesame"):
        assert secret.encode() not in everything
    assert User.objects.get().password.encode() in everything
    assert manifest["settings"]["SHOP_CURRENCY"] == "EUR"
    assert {table["model"] for table in manifest["tables"]}.isdisjoint(tables.LEFT_OUT)


def test_every_table_is_kept_or_left_out_and_refers_to_none_that_is_left_out():
    labels = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    assert labels >= tables.LEFT_OUT
    kept = tables.kept_models()
    for place, model in enumerate(kept):
        for other in tables.referred_to(model) - set(tables.BY_NAME):
            assert other in kept[:place], f"{model._meta.label} refers to {other._meta.label}"


def test_missing_and_changed_originals_are_told_and_the_rest_is_kept(empty, tmp_path):
    lost, changed, _kept = (add_product(f"P{n}").images.get().original for n in range(3))
    lost.storage.delete(lost.name)
    with changed.storage.open(changed.name, "wb") as file:
        file.write(b"something else")
    path, said = tmp_path / "backup.zip", io.StringIO()
    with pytest.raises(CommandError, match="1 files are missing and 1 have changed"):
        call_command("backup", str(path), stderr=said)
    assert f"missing from storage: originals/{lost.name}" in said.getvalue()
    assert f"not the file that was uploaded: originals/{changed.name}" in said.getvalue()
    with path.open("rb") as stream:
        assert len(list(Archive(stream, "it").files())) == 2


def test_a_photo_that_is_replaced_meanwhile_is_told(empty, tmp_path):
    """The archive has the row as it was, and the file that it names is no more."""
    image, path = add_product("DRESS").images.get(), tmp_path / "backup.zip"
    before = image.original.name

    def say(text: str) -> None:
        if "tables" in text:  # the rows are read, the files are not yet
            replace_file(image, io.BytesIO(jpeg(color="black")), "new.jpg")

    saved = back_up(places.place(str(path)), say)
    assert (saved.gone, saved.missing, saved.files) == ([f"originals/{before}"], [], 0)
    said = io.StringIO()
    call_command("backup", str(path), "--verify", stdout=said)
    assert "1 files were gone" in said.getvalue()
    wipe()
    assert "1 files were deleted or replaced while the backup was made" in restoring(path)


def test_an_encrypted_backup_is_restored_with_its_passphrase_alone(empty, tmp_path, monkeypatch):
    image, path = add_product("DRESS").images.get(), tmp_path / "backup.zip"
    content = image.original.read()
    monkeypatch.setenv("BACKUP_PASSPHRASE", "correct horse battery staple")
    said = io.StringIO()
    call_command("backup", str(path), "--encrypt", stdout=said)
    assert "members were read back" in said.getvalue()
    assert path.read_bytes().startswith(MAGIC) and not zipfile.is_zipfile(path)
    wipe()
    files = walk_all()
    monkeypatch.setenv("BACKUP_PASSPHRASE", "another horse battery staple")
    with pytest.raises(CommandError, match="the passphrase is another one"):
        restoring(path)
    assert not Image.objects.exists() and walk_all() == files
    monkeypatch.setenv("BACKUP_PASSPHRASE", "correct horse battery staple")
    assert "1 files" in restoring(path)
    assert Image.objects.get().original.read() == content


def test_writers_are_not_kept_waiting_and_stay_out_of_the_snapshot(empty):
    """A backup may take an hour: photos come in meanwhile, and are in the next one."""
    add_product("BEFORE")

    def write() -> None:
        try:
            add_product("MEANWHILE")
        finally:
            connection.close()

    with tables.snapshot():
        assert Product.objects.count() == 1
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(20)
        assert not writer.is_alive()
        assert Product.objects.count() == 1
    assert Product.objects.count() == 2


# --- What is refused ----------------------------------------------------------------------------------


def test_an_installation_with_records_is_left_alone(empty, archive):
    add_product("DRESS")
    files = walk_all()
    with pytest.raises(CommandError, match=r"is not empty: .*gallery\.Product.*DATABASE_URL"):
        restoring(archive)
    assert Image.objects.get().product.sku == "DRESS"
    assert walk_all() == files


@pytest.mark.parametrize("damage", ["truncated", "a photo", "a row", "no archive", "nothing"])
def test_a_damaged_archive_changes_nothing(empty, archive, tmp_path, damage):
    content, path, files = bytearray(archive.read_bytes()), tmp_path / "damaged.zip", walk_all()
    with zipfile.ZipFile(archive) as members:
        photo = next(info for info in members.infolist() if info.filename.startswith("files/originals"))
        rows = next(info for info in members.infolist() if info.filename.endswith("gallery.Product.jsonl"))
    if damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "no archive":
        content = bytearray(b"sku,title\n")
    else:
        content[(photo if damage == "a photo" else rows).header_offset + 120] ^= 0xFF
    if damage != "nothing":
        path.write_bytes(content)
    with pytest.raises(CommandError, match=r"damaged|cannot be read"):
        restoring(path)
    expect_nothing_changed(files)


def forged(archive: Path, path: Path, **fields: object) -> Path:
    """The archive with another value in all images' rows, and hashes that agree."""
    with path.open("wb") as stream, archive.open("rb") as file:
        original, writer = Archive(file, "original"), ArchiveWriter(stream)
        manifest = original.manifest
        for table in manifest["tables"]:
            with writer.member(table["member"]) as (content, member):
                for line in original.lines(table["member"]):
                    if table["model"] == "gallery.Image":
                        line["fields"] |= fields
                    content.write(tables.json_line(line).encode())
            table |= member.as_json()
        for entry in [*original.files(), manifest["files"]]:
            with writer.member(entry["member"]) as (content, member):
                for chunk in original.chunks(entry["member"]):
                    content.write(chunk)
        writer.finish(manifest)
    return path


@pytest.mark.parametrize(
    "fields",
    [
        {"product": "01890a5d-ac96-774b-bcce-b302099a8057"},  # a reference that leads nowhere
        {"product": "no key"},
        {"status": "approved", "taken_down_at": "2026-01-01T00:00:00+00:00"},  # what a constraint forbids
    ],
)
def test_rows_that_do_not_fit_change_nothing(empty, archive, tmp_path, fields):
    files = walk_all()
    with pytest.raises(CommandError, match="do not fit this database"):
        restoring(forged(archive, tmp_path / "forged.zip", **fields))
    expect_nothing_changed(files)


class FullDisk(FileSystemStorage):
    """Gives what there is, and takes nothing."""

    def _save(self, name, content):
        content.read(10)
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("place", ["disk", "bucket"])
def test_a_storage_that_takes_nothing_is_not_called_a_damaged_archive(
    empty, archive, s3_server, settings, tmp_path, place
):
    files = walk_all()
    connection = {
        "endpoint_url": s3_server.endpoint_url,
        "region_name": s3_server.region,
        "access_key": s3_server.access_key,
        "secret_key": s3_server.secret_key,
    }
    bucket = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": connection | {"bucket_name": "nowhere"}}
    disk = {"BACKEND": "tests.test_backup.FullDisk", "OPTIONS": {"location": str(tmp_path)}}
    usual = settings.STORAGES
    settings.STORAGES = usual | {"originals": disk if place == "disk" else bucket}
    with pytest.raises(CommandError, match=r"files cannot be written: .*(No space|NoSuchBucket).* Nothing was changed"):
        restoring(archive)
    settings.STORAGES = usual
    expect_nothing_changed(files)


def test_an_original_that_cannot_be_read_is_named_and_leaves_no_archive(empty, tmp_path):
    image = add_product("DRESS").images.get()
    original = Path(image.original.path)
    image.original.storage.delete(image.original.name)
    original.mkdir()  # opening a folder is a fault, and not a file that is missing
    path = tmp_path / "backup.zip"
    try:
        with pytest.raises(CommandError, match=f"originals/{image.original.name} cannot be read from storage"):
            call_command("backup", str(path), stdout=io.StringIO())
    finally:
        original.rmdir()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["disk", "bucket"])
@pytest.mark.parametrize("name", ["../../evil.jpg", "/tmp/evil.jpg", "aa/../../evil.jpg"])
def test_no_file_is_written_outside_of_its_storage(empty, archive, s3_server, settings, tmp_path, place, name):
    if place == "bucket":
        settings.STORAGES = settings.STORAGES | {
            "originals": {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": {
                    "endpoint_url": s3_server.endpoint_url,
                    "region_name": s3_server.region,
                    "access_key": s3_server.access_key,
                    "secret_key": s3_server.secret_key,
                    "bucket_name": s3_server.bucket,
                    "location": "evil/inside",
                },
            }
        }
    with pytest.raises(CommandError, match="names a file outside of its storage"):
        restoring(renamed(archive, tmp_path / "forged.zip", name))
    assert not Image.objects.exists()
    assert not list(tmp_path.rglob("evil.jpg")) and not Path("/tmp/evil.jpg").exists()


def renamed(archive: Path, path: Path, name: str) -> Path:
    """The archive with another name of one original, and hashes that agree."""
    with path.open("wb") as stream, archive.open("rb") as file:
        original, writer = Archive(file, "original"), ArchiveWriter(stream)
        manifest, entries = original.manifest, list(original.files())
        next(entry for entry in entries if entry["storage"] == "originals")["name"] = name
        for entry in [*manifest["tables"], *entries]:
            with writer.member(entry["member"]) as (content, _member):
                for chunk in original.chunks(entry["member"]):
                    content.write(chunk)
        with writer.member(FILES) as (content, member):
            content.write("".join(tables.json_line(entry) for entry in entries).encode())
        manifest["files"] |= member.as_json()
        writer.finish(manifest)
    return path


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ([], "is no backup, or is damaged"),
        ({}, "is no backup, or is damaged"),
        ({"format": 1}, "is no backup, or is damaged"),
        ({"format": 1, "settings": {}, "migrations": [], "tables": ["x"], "files": {}, "missing": [], "changed": []},
         "is no backup, or is damaged"),
        ({"format": 2}, "has format 2; this release reads format 1"),
    ],
)  # fmt: skip
def test_a_manifest_that_is_none_and_one_of_a_newer_release(empty, tmp_path, manifest, reason):
    path = tmp_path / "forged.zip"
    with zipfile.ZipFile(path, "w") as members:
        members.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(CommandError, match=reason):
        restoring(path)


def test_another_release_is_named(empty, archive):
    with archive.open("rb") as stream:
        last = max(name for name in Archive(stream, "it").manifest["migrations"] if name.startswith("gallery."))
    recorded = MigrationRecorder.Migration.objects.filter(app="gallery", name=last.removeprefix("gallery."))
    recorded.update(name="9999_of_tomorrow")
    try:
        with pytest.raises(CommandError, match=f"{last} is applied in the backup alone. Install the release"):
            restoring(archive)
    finally:
        MigrationRecorder.Migration.objects.filter(name="9999_of_tomorrow").update(name=last.removeprefix("gallery."))


def test_a_restore_that_was_stopped_goes_on(empty, archive, shop):
    """Files that are there already are kept; one of another content is not overwritten."""
    storage = storages["originals"]
    name, content = next((name, content) for name, content in files_of(shop["site"]).items() if "originals/" in name)
    name = name.removeprefix("originals/")
    storage.save(name, io.BytesIO(b"somebody else's"))
    files = walk_all()
    with pytest.raises(CommandError, match="has another file"):
        restoring(archive)
    expect_nothing_changed(files)
    storage.delete(name)
    storage.save(name, io.BytesIO(content))
    assert "Restored" in restoring(archive, "--no-index")
    assert {image.original.name for image in Image.objects.all()} <= {name for _alias, name in walk_all()}
    live = Generation.objects.get(state="live")
    assert live.placements.count() == 0


# --- The archive itself -------------------------------------------------------------------------------


def test_an_unfinished_archive_is_none():
    stream = io.BytesIO()
    writer = ArchiveWriter(stream)
    with writer.member("rows/a.jsonl") as (content, _member):
        content.write(b"{}\n")
    writer.abandon()
    with pytest.raises(ArchiveError, match="cut off"):
        Archive(stream, "it")


def test_a_member_too_many_is_found(archive, tmp_path):
    copy = tmp_path / "more.zip"
    copy.write_bytes(archive.read_bytes())
    with zipfile.ZipFile(copy, "a") as members:
        members.writestr("files/originals/../../evil", b"x")
    with copy.open("rb") as stream, pytest.raises(ArchiveError, match="evil"):
        Archive(stream, "it").verify()


def test_two_backups_to_one_path_do_not_write_into_one_file(tmp_path):
    target = places.place(str(tmp_path / "shop.zip"))
    first, second = target.writing(), target.writing()
    first_stream, second_stream = first.__enter__(), second.__enter__()
    first_stream.write(b"first")
    second_stream.write(b"half of the sec")
    first.__exit__(None, None, None)
    assert (tmp_path / "shop.zip").read_bytes() == b"first"
    with pytest.raises(places.PlaceError, match="there already: another backup"):
        second.__exit__(None, None, None)
    assert (tmp_path / "shop.zip").read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["shop.zip"]
    assert (tmp_path / "shop.zip").stat().st_mode & 0o077 == 0
