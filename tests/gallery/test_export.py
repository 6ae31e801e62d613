"""``manage.py export_catalogue``: what it writes, and that an import of it makes the same catalogue again."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gallery.importing.rows import COLUMNS
from gallery.models import Brand, Category, Image, Product, ProductRedirect
from gallery.tables.cells import guarded, joined, split, unguarded
from tests.catalogue import add_photo, add_product
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db


def exported(target: Path, *options: str) -> bytes:
    call_command("export_catalogue", str(target), *options, stdout=io.StringIO(), stderr=io.StringIO())
    return target.read_bytes()


def imported(source: Path) -> None:
    call_command("import_catalogue", str(source), stdout=io.StringIO(), stderr=io.StringIO())


def wipe() -> None:
    Product.objects.all().delete()
    Brand.objects.all().delete()
    for category in sorted(Category.objects.all(), key=lambda one: -one.pk):  # children come after their parents
        category.delete()


def rows_of(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode(), newline="")))


@pytest.fixture
def everything() -> None:
    """A catalogue of all that a table has to hold."""
    dress = add_product(
        "dress.1",
        title="=Dress, “long”",
        description='Long,\n"red"; and\ttight\n\n@home',
        category="Clothing/Dresses",
        brand="-Velluto-",
        tags=["a,b", 'say "hi"', "semi;colon", "back\\slash", "'=quoted", "新品"],
        photos=3,
        attributes={"size": ["S", "M;L", "\\"], "Farbe": ["rot, blau"], "empty": [], "+plus": ["@x"]},
        translations={"zh-hans": {"title": "连衣裙，“长”", "description": "红色\n长"}, "fr": {"title": "Robe"}},
        link="https://shop.example/dress?a=1&b=2",
    )
    photos = list(dress.images.order_by("position"))
    photos[0].alt_text, photos[2].alt_text = "'+A red dress", "背面"
    photos[0].position, photos[2].position = 7, 0
    for photo in photos:
        photo.save()
    for category, name in zip(Category.objects.order_by("pk"), ("服装", "连衣裙"), strict=True):
        category.names = {"zh-hans": name}
        category.save()
    add_product("-hat", price=None, published=False, availability="preorder", category="Hats", brand=None)
    add_product("DRESS.2", price="1250.00", currency="CHF", category="Clothing/Half\\/half", brand="新", title="'Tis")
    add_product("..", category=None, brand=None, price="0.00")
    add_product("__MACOSX", category=None, brand=None)
    Category.objects.filter(name="Hats").update(names={"zh-hans": "帽子"})
    ProductRedirect.objects.create(old_sku="dress.0", product=dress)
    ProductRedirect.objects.create(old_sku="Dress", product=dress)


# --- There and back -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("everything")
def test_a_wiped_catalogue_comes_back_as_it_was(tmp_path):
    table = exported(tmp_path / "before.csv")
    archive = exported(tmp_path / "before.zip")
    originals = {(i.product.sku, i.source_name): i.original.read() for i in Image.objects.select_related("product")}
    assert len(originals) == 7
    wipe()
    assert not Product.objects.exists() and not ProductRedirect.objects.exists()
    imported(tmp_path / "before.zip")
    assert exported(tmp_path / "after.csv") == table
    assert exported(tmp_path / "after.zip") == archive
    assert {
        (i.product.sku, i.source_name): i.original.read() for i in Image.objects.select_related("product")
    } == originals
    dress = Product.objects.get(sku="dress.1")
    assert dress.title == "=Dress, “long”" and dress.description == 'Long,\n"red"; and\ttight\n\n@home'
    assert set(dress.tags.names()) == {"a,b", 'say "hi"', "semi;colon", "back\\slash", "'=quoted", "新品"}
    assert dress.attributes == {"size": ["S", "M;L", "\\"], "Farbe": ["rot, blau"], "+plus": ["@x"]}
    assert dress.translations["zh-hans"] == {"title": "连衣裙，“长”", "description": "红色\n长"}
    assert [(i.source_name, i.alt_text) for i in dress.images.all()] == [
        ("dress.1-2.jpg", "背面"), ("dress.1-1.jpg", ""), ("dress.1-0.jpg", "'+A red dress"),
    ]  # fmt: skip
    assert dress.category.names == {"zh-hans": "连衣裙"} and dress.category.parent.names == {"zh-hans": "服装"}
    assert set(dress.redirects.values_list("old_sku", flat=True)) == {"dress.0", "Dress"}
    hat = Product.objects.get(sku="-hat")
    assert (hat.price, hat.published, hat.availability, hat.brand) == (None, False, "preorder", None)
    half = Product.objects.get(sku="DRESS.2")
    assert (half.category.name, half.category.parent.name, half.brand.name) == ("Half/half", "Clothing", "新")
    assert (half.title, half.price, half.currency) == ("'Tis", 1250, "CHF")


@pytest.mark.usefixtures("everything")
def test_importing_an_export_changes_nothing(tmp_path):
    exported(tmp_path / "all.zip")
    before = list(Product.objects.order_by("sku").values_list("sku", "revision"))
    out = io.StringIO()
    call_command("import_catalogue", str(tmp_path / "all.zip"), stdout=out, stderr=io.StringIO())
    assert out.getvalue() == "7 rows: 0 created, 0 changed, 7 unchanged, 0 failed\n"
    assert list(Product.objects.order_by("sku").values_list("sku", "revision")) == before


@pytest.mark.usefixtures("everything")
def test_no_cell_is_taken_for_a_formula(tmp_path):
    table = list(csv.reader(io.StringIO(exported(tmp_path / "all.csv").decode(), newline="")))
    cells = [cell for row in table for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    assert "'=Dress, “long”" in cells and "'-Velluto-" in cells and "'-hat" in cells


@pytest.mark.parametrize(
    "text",
    ["=1", "'=1", "''@", "plain", "'quoted'", "-1", "\tx", "\n=1", "", "'", "+", "a=b", "＝1", "'＋1", "－", "＠x"],
)
def test_what_is_guarded_is_read_as_it_was(text):
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in tuple("=+-@\t\r\n＝＋－＠") or not guarded(text)


@pytest.mark.parametrize("values", [["a;b", "c"], ["\\", "x"], ["a\\;b"], ["\\;", "\\\\"], ["C:\\temp", "ü"], []])
def test_values_of_one_cell_are_taken_apart_as_they_were(values):
    assert split(joined(values)) == values


# --- What is written ----------------------------------------------------------------------------------------


def test_columns_and_order(tmp_path):
    add_product("b", attributes={"size": ["M"]}, photos=2)
    add_product("B", translations={"zh-hans": {"title": "乙"}})
    add_product("a-1", tags=["y", "x"])
    table = exported(tmp_path / "t.csv")
    assert table.splitlines()[0].decode() == ",".join((*COLUMNS, "attr:size", "title:zh-hans"))
    rows = rows_of(table)
    assert [(row["sku"], row["file"]) for row in rows] == [
        ("B", "photos/B/B-0.jpg"), ("a-1", "photos/a-1/a-1-0.jpg"),
        ("b", "photos/b/b-0.jpg"), ("b", "photos/b/b-1.jpg"),
    ]  # fmt: skip
    assert (rows[1]["tags"], rows[1]["price"], rows[1]["published"], rows[1]["position"]) == (
        "x;y",
        "10.00",
        "yes",
        "0",
    )


def test_only_approved_photos_leave(tmp_path, moderator):
    product = add_product("p", photos=2)
    product.images.last().reject(moderator, "Blurred.")
    add_photo(add_product("only-pending", photos=0), "circle", "red", "x.jpg", status=Image.Status.PENDING)
    out, err = io.StringIO(), io.StringIO()
    call_command("export_catalogue", str(tmp_path / "t.csv"), stdout=out, stderr=err)
    assert [row["file"] for row in rows_of((tmp_path / "t.csv").read_bytes())] == ["photos/p/p-0.jpg"]
    assert out.getvalue() == "1 photo of 1 product\n"
    assert "1 product without an approved photo was left out." in err.getvalue()


def test_a_missing_original_is_named_and_left_out(tmp_path):
    product = add_product("p", photos=2)
    storages["originals"].delete(product.images.first().original.name)
    err = io.StringIO()
    call_command("export_catalogue", str(tmp_path / "t.zip"), stdout=io.StringIO(), stderr=err)
    assert "photos/p/p-0.jpg is missing from storage" in err.getvalue()
    with zipfile.ZipFile(tmp_path / "t.zip") as archive:
        assert archive.namelist() == ["photos/p/p-1.jpg", "catalogue.csv"]
        assert len(rows_of(archive.read("catalogue.csv"))) == 1
        assert archive.read("photos/p/p-1.jpg") == product.images.last().original.read()


def test_a_storage_that_fails_leaves_no_half_of_a_file(tmp_path):
    product = add_product("p", photos=2)
    original = Path(product.images.last().original.path)
    storages["originals"].delete(product.images.last().original.name)
    original.mkdir()  # opening a folder is a fault, and not a file that is missing
    try:
        with pytest.raises(CommandError, match="The export was given up"):
            exported(tmp_path / "t.zip")
    finally:
        original.rmdir()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_for_this_system_comes_back(tmp_path):
    add_photo(add_product("p", photos=0), "circle", "red", "红色的长连衣裙" * 17 + ".jpg")
    exported(tmp_path / "before.zip")
    wipe()
    imported(tmp_path / "before.zip")
    assert exported(tmp_path / "after.zip") == (tmp_path / "before.zip").read_bytes()


def test_an_empty_catalogue_is_a_heading(tmp_path):
    assert exported(tmp_path / "t.csv").decode() == ",".join(COLUMNS) + "\r\n"


def test_queries_do_not_grow_with_the_catalogue(tmp_path):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            exported(tmp_path / "t.csv")
        return len(captured)

    add_product("a", tags=["x"])
    few = queries()
    for n in range(5):
        add_product(f"b-{n}", tags=["x", f"y{n}"], photos=2, category=f"C/{n}")
    assert queries() == few


@pytest.mark.parametrize(
    ("target", "options", "reason"),
    [
        ("t.bin", [], "Name the format"),
        ("none/t.csv", [], "cannot be written"),
        ("t.ndjson", [], "--site"),
        ("t.ndjson", ["--site", "shop.example"], "--site"),
    ],
)
def test_targets_that_are_none(tmp_path, target, options, reason):
    with pytest.raises(CommandError, match=reason):
        exported(tmp_path / target, *options)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_leaves_the_earlier_file(tmp_path, monkeypatch):
    add_product("p")
    earlier = exported(tmp_path / "t.csv")
    monkeypatch.setattr("gallery.exporting.writing.table", lambda rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        exported(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == earlier and len(list(tmp_path.iterdir())) == 1


def test_documents_for_bulk(tmp_path):
    product = add_product("p", tags=["b", "a"], attributes={"size": ["S", "M"]}, price="12.90", published=False)
    lines = exported(tmp_path / "t.ndjson", "--site", "https://shop.example/").decode().splitlines()
    action, document = map(json.loads, lines)
    image = product.images.get()
    assert action == {"index": {"_id": str(image.pk)}}
    assert document["image_url"] == f"https://shop.example{image.url(1280, 'jpeg')}"
    assert (document["sku"], document["tags"], document["attr:size"]) == ("p", ["a", "b"], ["S", "M"])
    assert (document["price"], document["published"], document["position"]) == (12.9, False, 0)
    assert "brand" in document and "description" not in document


def test_documents_that_come_back_change_texts_and_keep_originals(tmp_path):
    """Their links lead to renditions, which are smaller copies."""
    product = add_product("p", photos=2, title="Red")
    add_product("q", title="Blue")
    originals = dict(Image.objects.values_list("pk", "sha256"))
    lines = exported(tmp_path / "t.ndjson", "--site", "https://shop.example").decode()
    (tmp_path / "t.ndjson").write_text(lines.replace('"title": "Red"', '"title": "Scarlet"'))
    out = io.StringIO()
    call_command("import_catalogue", str(tmp_path / "t.ndjson"), stdout=out, stderr=io.StringIO())
    assert out.getvalue() == "3 rows: 0 created, 1 changed, 2 unchanged, 0 failed\n"
    product.refresh_from_db()
    assert product.title == "Scarlet" and dict(Image.objects.values_list("pk", "sha256")) == originals


def test_old_skus_that_cannot_lead_here(tmp_path):
    add_product("taken")
    (tmp_path / "red.jpg").write_bytes(jpeg())
    for old, reason in (("taken", "product of its own"), ("a b", "old_skus"), ("new", "old_skus")):
        (tmp_path / "t.csv").write_text(f"sku,file,old_skus\nnew,red.jpg,{old}\n")
        err = io.StringIO()
        with pytest.raises(SystemExit):
            call_command("import_catalogue", str(tmp_path / "t.csv"), stdout=io.StringIO(), stderr=err)
        assert reason in err.getvalue()
    assert not Product.objects.filter(sku="new").exists() and not ProductRedirect.objects.exists()
