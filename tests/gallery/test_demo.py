"""The demonstration: its table, and what ``load_demo`` makes of it. Needs ``npm ci``, as the demo does."""

import csv
import json
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils.translation import override

from gallery.demo.catalogue import NEWEST, SECOND_VIEWS, Catalogue, read_stickers
from gallery.demo.packages import Packages
from gallery.demo.samples import SAMPLES
from gallery.demo.shop import CATEGORIES
from gallery.filenames import clean_name
from gallery.importing.rows import parse
from gallery.models import Image, Product, User
from gallery.verification import verify

PACKAGES = settings.BASE_DIR / "node_modules"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(Packages(PACKAGES))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """One folder for all tests: pictures that are there are not drawn again."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def data_dir(settings, drawn):
    settings.DATA_DIR = drawn
    return drawn


def load(*arguments: str) -> str:
    said = StringIO()
    call_command("load_demo", *arguments, stdout=said)
    return said.getvalue()


def test_every_sticker_is_there_once_and_in_a_category_that_exists():
    stickers = read_stickers()
    assert len(stickers) == len({sticker.sku for sticker in stickers}) == 600
    assert {sticker.category for sticker in stickers} == set(CATEGORIES)
    assert len(CATEGORIES) == 13


def test_the_table_can_be_imported_row_by_row(catalogue):
    rows = [row for sticker in catalogue.stickers for row in catalogue.rows(sticker)]
    parsed = [parse(line, row, "EUR") for line, row in enumerate(rows, start=2)]
    assert len(parsed) == len(catalogue.stickers) + SECOND_VIEWS
    assert len({row.title for row in parsed}) == len({row.translations["zh-hans"]["title"] for row in parsed}) == 600
    assert all("invented" in row.description for row in parsed)
    assert all("虚构" in row.translations["zh-hans"]["description"] for row in parsed)
    assert sum(not row.tags for row in parsed) < 60
    assert all(row.price and row.brand and row.attributes["size"] and row.attributes["finish"] for row in parsed)


def test_what_is_invented_is_the_same_every_time(catalogue):
    again = Catalogue(Packages(PACKAGES))
    assert [again.rows(sticker) for sticker in again.stickers] == [
        catalogue.rows(sticker) for sticker in catalogue.stickers
    ]


def test_every_sticker_has_its_picture(catalogue):
    for sticker in catalogue.stickers:
        assert catalogue.packages.render(sticker.code).width == 256


@pytest.mark.django_db
def test_first_things_come_first_and_are_the_newest(data_dir, catalogue):
    load("--first")
    loaded = list(Image.objects.order_by("id").values_list("product__sku", flat=True))
    sampled = {sticker.sku for sticker in catalogue.stickers[:6]}
    assert {"ST-1F695", "ST-1F34E", "ST-1F4D8", "ST-1F34B", "ST-1F337", "ST-1F34F"} == sampled
    assert set(loaded[:12]) == sampled, "two photos of each"
    newest = Product.objects.filter(images__position=0)[: len(NEWEST)]
    assert [product.sku for product in newest] == [f"ST-{code.upper()}" for code in NEWEST]
    # All others are announced with older dates, so that loading them leaves the home page as it is.
    assert Product.objects.count() == 600
    assert not Product.objects.filter(images=None, created_at__gte=newest[len(NEWEST) - 1].created_at).exists()


@pytest.mark.django_db
def test_loading_again_changes_nothing(data_dir):
    load("--first")
    before = list(Image.objects.order_by("id").values_list("id", "revision", "product__revision"))
    samples = {path.name: path.stat().st_mtime_ns for path in (data_dir / "samples").glob("*.jpg")}
    load("--first")
    assert list(Image.objects.order_by("id").values_list("id", "revision", "product__revision")) == before
    assert {path.name: path.stat().st_mtime_ns for path in (data_dir / "samples").glob("*.jpg")} == samples


@pytest.mark.django_db
def test_products_speak_both_languages(data_dir):
    load("--first")
    taxi = Product.objects.get(sku="ST-1F695")
    assert (taxi.label, taxi.category.label) == ("Taxi", "Cars, boats and planes")
    with override("zh-hans"):
        assert (taxi.label, taxi.category.label) == ("出租车", "车船与飞机")


@pytest.mark.django_db
def test_samples_are_photographs_that_can_be_searched_with(data_dir):
    load("--first")
    folder = data_dir / "samples"
    listed = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
    assert [row["file"] for row in listed] == [sample.file for sample in SAMPLES]
    assert len(listed) == 6
    for row in listed:
        assert row["name"] and row["name_zh"]
        with (folder / row["file"]).open("rb") as file:
            facts = verify(file, row["file"])
        assert (facts.format, facts.notes) == ("jpeg", [])


@pytest.mark.django_db
def test_the_catalogue_is_left_as_an_example_of_an_import(data_dir):
    load("--first")
    with (data_dir / "demo" / "catalogue.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 750
    assert (data_dir / "demo" / rows[0]["file"]).is_file()


@pytest.mark.django_db
def test_accounts_are_made_and_named_only_in_debug(data_dir, settings, client):
    assert "staff" not in load("--first")
    assert not User.objects.exists()
    with pytest.raises(CommandError, match="DEBUG"):
        load("--accounts")
    settings.DEBUG = True
    said = load("--accounts")
    assert "staff / staff-demo" in said and "moderator / moderator-demo" in said
    assert client.login(username="staff", password="staff-demo")
    assert User.objects.get(username="staff").is_catalogue_staff
    assert User.objects.get(username="moderator").is_moderator


@pytest.mark.django_db
def test_an_account_that_exists_keeps_its_password(data_dir, settings, client):
    settings.DEBUG = True
    load("--accounts")
    staff = User.objects.get(username="staff")
    staff.set_password("chosen by its owner")
    staff.save()
    load("--accounts")
    assert client.login(username="staff", password="chosen by its owner")


@pytest.mark.django_db
def test_missing_packages_are_named_with_the_remedy(data_dir, tmp_path):
    with pytest.raises(CommandError, match="npm ci"):
        load("--packages", str(tmp_path))


@pytest.fixture
def debug(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.DEBUG = True


@pytest.mark.django_db
def test_a_moderator_finds_something_to_do(data_dir, debug):
    load("--first")
    waiting = Image.objects.pending()
    assert waiting.count() == 12
    assert set(waiting.values_list("uploader__username", flat=True)) == {"shopper", "mina", "jonas"}
    assert not User.objects.get(username="mina").has_usable_password()
    # Two are nearly photos of the catalogue, of the same product.
    for name in ("apple-again.jpg", "taxi (1).jpg"):
        again = waiting.get(source_name=clean_name(name))
        of_the_shop = again.product.images.get(uploader=None, position=1)
        assert again.sha256 != of_the_shop.sha256
        assert bits_apart(again, of_the_shop) <= 4
    sharp = sorted(waiting.values_list("sharpness", "source_name"))
    assert sharp[0][1] == "tulip-quick.jpg" and sharp[0][0] < sharp[1][0] / 3
    assert waiting.get(source_name="book.jpg").product.title.startswith("Blue book")
    suggested = waiting.get(source_name="Green apple sticker.jpg").product
    assert (suggested.published, suggested.category.name) == (False, "Cars, boats and planes")


@pytest.mark.django_db
def test_three_products_are_there_twice(data_dir, debug):
    load("--first")
    copies = Product.objects.filter(sku__endswith="-B").order_by("sku")
    assert [copy.sku for copy in copies] == ["ST-1F34B-B", "ST-1F34E-B", "ST-1F4D8-B"]
    for copy in copies:
        first = Product.objects.get(sku=copy.sku.removesuffix("-B"))
        assert copy.title == first.title and copy.published
        assert bits_apart(copy.images.get(), first.images.get(uploader=None, position=1)) <= 4
    same = copies.get(sku="ST-1F34E-B").images.get()
    assert Image.objects.filter(sha256=same.sha256).count() == 2
    assert Product.objects.filter(published=True).count() == 603
    newest = Product.objects.filter(images__position=0, published=True)[: len(NEWEST)]
    assert [product.sku for product in newest] == [f"ST-{code.upper()}" for code in NEWEST]


@pytest.mark.django_db
def test_seeding_again_adds_nothing_and_forgets_no_decision(data_dir, debug, moderator):
    load("--first")
    image = Image.objects.pending().order_by("pk")[0]
    image.reject(moderator, "No.")
    before = list(Image.objects.order_by("pk").values_list("pk", "status", "sha256", "revision"))
    assert "12 photos wait" in load("--first")
    assert list(Image.objects.order_by("pk").values_list("pk", "status", "sha256", "revision")) == before


@pytest.mark.django_db
def test_only_the_demo_accounts_bring_them(data_dir, settings):
    load("--first")
    assert not Image.objects.pending().exists()
    settings.DEBUG = True
    load("--first", "--no-accounts")
    assert not Image.objects.pending().exists()
    assert not User.objects.exists()


def bits_apart(one: Image, other: Image) -> int:
    return (int(one.perceptual_hash, 16) ^ int(other.perceptual_hash, 16)).bit_count()
