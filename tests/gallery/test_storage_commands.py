"""``manage.py storage``: what is missing is found and shown, and files move between a folder and a bucket."""

import io
import json
from pathlib import Path

import boto3
import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.test import Client

from gallery.intake import replace_file
from gallery.models import Image, Rendition
from gallery.renditions import rendition
from gallery.storage import walk
from tests.catalogue import add_product
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db


@pytest.fixture
def images(db) -> list[Image]:
    return [add_product(f"P{n}", color=color).images.get() for n, color in enumerate(("red", "green", "blue"))]


@pytest.fixture
def bucket(s3_server, settings) -> str:
    """An empty bucket of its own, reached with the credentials of the settings."""
    settings.S3_CONNECTION = {
        "endpoint_url": s3_server.endpoint_url,
        "region_name": s3_server.region,
        "access_key": s3_server.access_key,
        "secret_key": s3_server.secret_key,
    }
    s3 = boto3.resource(
        "s3",
        endpoint_url=s3_server.endpoint_url,
        region_name=s3_server.region,
        aws_access_key_id=s3_server.access_key,
        aws_secret_access_key=s3_server.secret_key,
    ).Bucket("moves")
    s3.create()
    s3.objects.delete()
    return "s3://moves"


@pytest.fixture
def old(settings, tmp_path) -> str:
    """Where the originals are, of an installation whose settings name an empty folder by now."""
    settings.STORAGES = settings.STORAGES | {
        "originals": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "originals"), "base_url": None},
        }
    }
    return settings.DATA_DIR.as_uri()


def storage(*arguments: str) -> str:
    said = io.StringIO()
    call_command("storage", *arguments, stdout=said, stderr=said)
    return said.getvalue()


def failing(*arguments: str) -> str:
    said = io.StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("storage", *arguments, stdout=said, stderr=said)
    assert failed.value.returncode == 1
    return f"{said.getvalue()}{failed.value}"


def lose(image: Image) -> None:
    image.original.storage.delete(image.original.name)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.*")}


# --- What is missing ----------------------------------------------------------------------------------


def test_everything_is_there(images):
    assert "3 originals: 0 missing, 0 changed" in storage("check", "--hash")


def test_a_missing_original_is_found_and_told_until_it_is_back(images, client, staff):
    lose(images[1])
    said = failing("check")
    assert "3 originals: 1 missing" in said
    assert f"missing: {images[1].pk}  P1" in said
    assert [image.pk for image in Image.objects.without_original()] == [images[1].pk]
    status = io.StringIO()
    call_command("index", "status", stdout=status)
    assert "1 originals are missing from storage" in status.getvalue()
    client.force_login(staff)
    page = client.get("/index/").content.decode()
    assert "The original of 1 photo is missing." in page
    assert "P1-0.jpg" in page

    since = Image.objects.without_original().get().original_missing_at
    failing("check")
    assert Image.objects.without_original().get().original_missing_at == since
    replace_file(images[1], io.BytesIO(jpeg(color="black")), "again.jpg")
    assert not Image.objects.without_original().exists()
    assert "is missing" not in client.get("/index/").content.decode()


def test_an_original_that_was_put_back_is_found_again(images):
    original = images[0].original
    content = original.read()
    lose(images[0])
    failing("check")
    original.storage.save(original.name, io.BytesIO(content))
    assert "1 that were missing are there again" in storage("check")
    assert not Image.objects.without_original().exists()


def test_changed_bytes_are_found_by_their_hash(images):
    with images[2].original.storage.open(images[2].original.name, "wb") as file:
        file.write(jpeg(color="purple"))
    assert "0 missing" in storage("check")
    assert json.loads(failing("check", "--hash", "--json").rpartition("}")[0] + "}")["changed"] == [str(images[2].pk)]


def test_a_lost_rendition_is_made_again(images):
    made = rendition(images[0], "webp", 320)
    made.file.storage.delete(made.file.name)
    assert "1 lost renditions" in storage("check")
    assert not Rendition.objects.exists()
    made = rendition(images[0], "webp", 320)
    made.file.storage.delete(made.file.name)
    assert Client().get(images[0].url(320)).status_code == 200  # without a check, too


def test_a_page_shows_a_tile_for_a_missing_photo(images):
    lose(images[0])
    response = Client().get(images[0].url(320))
    assert response.status_code == 404
    assert response["Content-Type"] == "image/svg+xml"
    assert response["Cache-Control"] == "private, no-store"
    assert "Photo missing" in response.content.decode()
    assert Image.objects.without_original().get() == images[0]
    chinese = Client().get(images[0].url(320), headers={"accept-language": "zh-hans"}).content.decode()
    assert chinese.startswith("<svg") and "照片缺失" in chinese
    assert Client().get(images[0].product.get_absolute_url()).status_code == 200


def test_a_damaged_original_is_not_called_missing(images):
    with images[0].original.storage.open(images[0].original.name, "wb") as file:
        file.write(b"damaged")
    response = Client().get(images[0].url(320))
    assert "Photo damaged" in response.content.decode()
    assert not Image.objects.without_original().exists()


# --- Moving -------------------------------------------------------------------------------------------


def test_to_a_bucket_and_back(images, bucket, settings, tmp_path):
    rendition(images[0], "webp", 320)
    assert "4 files would be copied" in storage("migrate", "--to", bucket, "--dry-run")
    assert "4 files copied" in storage("migrate", "--to", bucket)
    assert "0 files copied (0 bytes), 4 were there already, 0 deleted" in storage("migrate", "--to", bucket)

    # As an installation whose files are elsewhere by now, and which fetches them from the bucket.
    settings.STORAGES = settings.STORAGES | {
        alias: {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / alias), "base_url": None},
        }
        for alias in ("originals", "renditions")
    }
    said = storage("migrate", "originals", "renditions", "--from", bucket, "--delete")
    assert "4 files copied" in said
    assert "4 deleted where they were" in said
    assert names(tmp_path / "originals") == {image.original.name for image in images}
    for image in images:
        assert (tmp_path / "originals" / image.original.name).read_bytes() == image.original.read()
    assert "0 files copied (0 bytes), 4 were there already" in storage(
        "migrate", "originals", "renditions", "--from", bucket
    )


def test_half_a_file_is_replaced_and_the_source_is_kept_until_all_is_well(images, old, tmp_path):
    target = tmp_path / "originals" / images[0].original.name
    target.parent.mkdir(parents=True)
    content = images[0].original.read()
    target.write_bytes(content[:100])
    assert "3 files copied" in storage("migrate", "originals", "--from", old)
    assert target.read_bytes() == content
    assert all(image.original.storage.exists(image.original.name) for image in images)
    assert "3 deleted where they were" in storage("migrate", "originals", "--from", old, "--delete")
    assert not any(image.original.storage.exists(image.original.name) for image in images)


def test_what_the_settings_name_is_not_emptied(images, tmp_path):
    said = failing("migrate", "originals", "--to", tmp_path.as_uri(), "--delete")
    assert "First copy them without --delete" in said and "--from OLD-ADDRESS --delete" in said
    assert all(image.original.storage.exists(image.original.name) for image in images)
    assert not names(tmp_path)


def test_a_file_that_fails_is_told_and_costs_only_itself(images, old, tmp_path):
    # A file lies where a folder of the first original has to be.
    blocked = tmp_path / "originals" / images[0].original.name.partition("/")[0]
    blocked.parent.mkdir()
    blocked.write_bytes(b"")
    others = [image for image in images if not image.original.name.startswith(f"{blocked.name}/")]
    said = failing("migrate", "originals", "--from", old, "--delete")
    assert f"originals/{images[0].original.name}: " in said
    assert images[0].original.storage.exists(images[0].original.name)
    for image in others:
        assert (tmp_path / "originals" / image.original.name).exists()
        assert not image.original.storage.exists(image.original.name)
    blocked.unlink()
    assert "0 failed" in storage("migrate", "originals", "--from", old)


def test_a_changed_original_is_not_passed_on(images, old, tmp_path):
    with images[0].original.storage.open(images[0].original.name, "wb") as file:
        file.write(b"something else")
    lose(images[1])
    said = failing("migrate", "originals", "--from", old, "--delete")
    assert "it is not the file that was uploaded" in said
    assert "it is missing from storage" in said
    assert names(tmp_path / "originals") == {images[2].original.name}
    assert images[0].original.storage.exists(images[0].original.name)


def test_lost_files_do_not_stop_the_others(images, tmp_path):
    many = [add_product(f"LOST-{n}", size=(16, 12)).images.get() for n in range(21)]
    last = add_product("LAST").images.get()
    for image in many:
        lose(image)
    said = failing("migrate", "originals", "--to", tmp_path.as_uri())
    assert "4 files copied" in said and "21 failed" in said
    assert (tmp_path / "originals" / last.original.name).exists()


def test_a_bucket_that_is_not_there_is_given_up(bucket, tmp_path):
    for n in range(21):
        add_product(f"MANY-{n}", size=(16, 12))
    said = failing("migrate", "originals", "--to", "s3://nowhere")
    assert "20 files failed one after another" in said
    assert len(set(walk(storages["originals"]))) >= 21


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Name one other storage"),
        (["--to", "s3://a", "--from", "s3://b"], "Name one other storage"),
        (["--to", "ftp://a"], "neither s3://bucket nor file:///folder"),
        (["--to", "s3://a/folder"], "neither s3://bucket nor file:///folder"),
        (["pictures", "--to", "s3://a"], "There is no storage pictures"),
    ],
)
def test_what_cannot_be_meant(arguments, says):
    assert says in failing("migrate", *arguments)


def test_the_place_where_files_are_already(images, settings):
    assert "already" in failing("migrate", "originals", "--to", settings.DATA_DIR.as_uri())
