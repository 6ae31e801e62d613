"""``manage.py import_catalogue``: folders, tables and archives; what is imported, refused, repeated and replaced."""

import io
import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from gallery.models import Category, Image, Product
from tests.gallery import files
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db

HEADER = "sku,file,title,category,brand,price,currency,tags\n"


class Result:
    """What one run of the command printed, and its exit status."""

    def __init__(self, source: Path, *options: str):
        out, err = io.StringIO(), io.StringIO()
        self.status = 0
        try:
            call_command("import_catalogue", str(source), *options, stdout=out, stderr=err)
        except SystemExit as stop:
            self.status = stop.code
        self.out, self.err = out.getvalue(), err.getvalue()

    def __repr__(self) -> str:
        return f"{self.status} {self.out} {self.err}"

    def counts(self) -> tuple[int, int, int, int]:
        """Created, changed, unchanged, failed."""
        words = self.out.strip().splitlines()[-1].replace(":", "").split()
        return tuple(int(words[words.index(name + ("," if name != "failed" else "")) - 1]) for name in NAMES)


NAMES = ("created", "changed", "unchanged", "failed")


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    return folder


def write(folder: Path, table: str, encoding: str = "utf-8", **pictures: bytes) -> Path:
    for n, color in enumerate(("red", "blue", "green")):
        put(folder, f"{color}.jpg", jpeg(color=color, size=(200 + n, 150)))
    path = folder / "catalogue.csv"
    path.write_bytes(table.encode(encoding))
    return path


def put(folder: Path, name: str, data: bytes | None = None) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(jpeg() if data is None else data)
    return path


# --- Tables -------------------------------------------------------------------------------------------


def test_a_table_with_files_beside_it(folder):
    table = write(
        folder,
        HEADER
        + "R-1,red.jpg,Red dress,Clothing/Dresses,Velluto,35.80,EUR,cotton;new\n"
        + "B-1,blue.jpg,Blue dress,Clothing/Dresses,Velluto,,,\n",
    )
    result = Result(table)
    assert (result.status, result.counts()) == (0, (2, 0, 0, 0)), result
    assert result.out == "2 rows: 2 created, 0 changed, 0 unchanged, 0 failed\n"
    product = Product.objects.get(sku="R-1")
    assert (product.title, product.price, product.currency) == ("Red dress", Decimal("35.80"), "EUR")
    assert (product.category.name, product.category.parent.name) == ("Dresses", "Clothing")
    assert (product.brand.name, set(product.tags.names())) == ("Velluto", {"cotton", "new"})
    assert product.published
    image = product.images.get()
    assert (image.source_name, image.status) == ("red.jpg", Image.Status.APPROVED)
    assert image.original.read() == (folder / "red.jpg").read_bytes()


def test_all_columns(folder):
    table = write(
        folder,
        "sku,file,title,description,category,price,availability,link,published,alt,position,"
        "attr:Material,attr:color,title:zh-hans,description:zh-hans,category:zh-hans\n"
        'R-1,red.jpg,Dress,"Long, and red",Clothing/Dresses,10,pre-order,https://shop.example/r,no,A red dress,3,'
        "cotton;linen,red,连衣裙,长,服装/连衣裙\n",
    )
    assert Result(table).status == 0
    product = Product.objects.get()
    assert product.description == "Long, and red"
    assert (product.currency, product.availability, product.published) == ("EUR", "preorder", False)
    assert product.link == "https://shop.example/r"
    assert product.attributes == {"Material": ["cotton", "linen"], "color": ["red"]}
    assert product.translations == {"zh-hans": {"title": "连衣裙", "description": "长"}}
    assert [c.names for c in (product.category.parent, product.category)] == [
        {"zh-hans": "服装"},
        {"zh-hans": "连衣裙"},
    ]
    image = product.images.get()
    assert (image.alt_text, image.position) == ("A red dress", 3)
    assert Result(table).counts() == (0, 0, 1, 0)


def test_a_second_run_changes_nothing(folder, announced, stored):
    table = write(folder, HEADER + "R-1,red.jpg,Red,A/B,V,1,EUR,x;y\nB-1,blue.jpg,Blue,A,V,2.5,CHF,\n")
    Result(table)
    revisions = list(Product.objects.values_list("sku", "revision", "updated_at"))
    names = stored()
    announced.take()
    result = Result(table)
    assert (result.status, result.counts()) == (0, (0, 0, 2, 0))
    assert list(Product.objects.values_list("sku", "revision", "updated_at")) == revisions
    assert stored() == names
    assert announced.take() == set()


def test_an_unchanged_file_is_not_decoded_again(folder, monkeypatch):
    from gallery import intake

    table = write(folder, HEADER + "R-1,red.jpg,,,,,,\n")
    Result(table)
    monkeypatch.setattr(intake, "verify", lambda *a: pytest.fail("decoded again"))
    assert Result(table).counts() == (0, 0, 1, 0)


def test_changed_metadata_updates_the_product(folder, announced):
    table = write(folder, HEADER + "R-1,red.jpg,Red,Old,V,1,EUR,x\nB-1,blue.jpg,Blue,Old,V,1,EUR,x\n")
    Result(table)
    announced.take()
    write(folder, HEADER + "R-1,red.jpg,Scarlet,New,W,2,CHF,y\nB-1,blue.jpg,Blue,Old,V,1,EUR,x\n")
    assert Result(table).counts() == (0, 1, 1, 0)
    product = Product.objects.get(sku="R-1")
    assert (product.title, product.category.name, product.brand.name) == ("Scarlet", "New", "W")
    assert (product.price, product.currency, list(product.tags.names())) == (2, "CHF", ["y"])
    assert announced.take() == set(product.images.values_list("pk", flat=True))


def test_empty_cells_and_missing_columns_leave_what_is_there(folder):
    table = write(folder, "sku,file,title,price,published\nR-1,red.jpg,Red,5,yes\n")
    Result(table)
    product = Product.objects.get()
    product.hide()
    write(folder, "sku,file,title,price,published\nR-1,red.jpg,,,\n")
    assert Result(table).counts() == (0, 0, 1, 0)
    product.refresh_from_db()
    assert (product.title, product.price, product.published) == ("Red", 5, False)


@pytest.mark.django_db(transaction=True)
def test_another_file_under_the_same_name_replaces_it(folder, stored):
    table = write(folder, HEADER + "R-1,red.jpg,Red,,,,,\n")
    Result(table)
    key = Image.objects.get().pk
    put(folder, "red.jpg", jpeg("square", "green"))
    assert Result(table).counts() == (0, 1, 0, 0)
    image = Image.objects.get()
    assert image.pk == key
    assert image.original.read() == jpeg("square", "green")
    assert stored() == [image.original.name]


def test_a_product_with_several_rows(folder):
    table = write(folder, HEADER + "R-1,red.jpg,Red,A,V,1,EUR,x\nR-1,blue.jpg,,,,,,\nR-1,green.jpg,Green,A,V,1,EUR,x\n")
    result = Result(table)
    assert result.counts() == (3, 0, 0, 0)
    assert "line 4: title: line 2 said something else of this SKU, and stands." in result.err
    product = Product.objects.get()
    assert (product.title, set(product.tags.names())) == ("Red", {"x"})
    assert [image.source_name for image in product.images.all()] == ["red.jpg", "blue.jpg", "green.jpg"]
    assert Result(table).counts() == (0, 0, 3, 0)


def test_files_of_one_name_in_several_folders(folder):
    put(folder, "front/1.jpg", jpeg(color="red"))
    put(folder, "back/1.jpg", jpeg(color="blue"))
    table = write(folder, "sku,file\nR-1,front/1.jpg\nR-1,back/1.jpg\n")
    assert Result(table).counts() == (2, 0, 0, 0)
    assert [image.source_name for image in Image.objects.all()] == ["1.jpg", "back-1.jpg"]
    assert Result(table).counts() == (0, 0, 2, 0)


def test_files_whose_names_differ_only_in_an_ending_that_is_wrong(folder):
    put(folder, "a.jpg", jpeg(color="red"))
    put(folder, "a.png", jpeg(color="blue"))  # a JPEG by its content
    put(folder, "a.webp", files.of_format("webp"))
    table = write(folder, "sku,file\nR-1,a.png\nR-1,a.jpg\nR-1,a.webp\n")
    assert Result(table).counts() == (3, 0, 0, 0)
    assert Image.objects.values("sha256").distinct().count() == 3
    assert Result(table).counts() == (0, 0, 3, 0)


def test_a_row_that_comes_twice_is_said(folder):
    table = write(folder, HEADER + "R-1,red.jpg,Red,,,,,\nR-1,red.jpg,Red,,,,,\n")
    result = Result(table)
    assert (result.status, result.counts()) == (0, (1, 0, 1, 0))
    assert "line 3: SKU and file are those of line 2" in result.err


def test_the_same_photo_under_two_skus_is_two_images(folder):
    table = write(folder, HEADER + "R-1,red.jpg,,,,,,\nR-2,red.jpg,,,,,,\n")
    assert Result(table).counts() == (2, 0, 0, 0)


# --- Rows that fail -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("R 1,red.jpg,,,,,,", "letters"),
        (",red.jpg,,,,,,", "sku"),
        ("x" * 65 + ",red.jpg,,,,,,", "1 to 64"),
        ("R-1,,Red,,,,,", "file column is empty"),
        ("R-1,missing.jpg,,,,,,", "missing.jpg is not there"),
        ("R-1,../secret.jpg,,,,,,", "outside"),
        ("R-1,/etc/passwd,,,,,,", "outside"),
        ("R-1,..\\secret.jpg,,,,,,", "outside"),
        ("R-1,link.jpg,,,,,,", "outside"),
        ("R-1,.,,,,,,", "not there"),
        ("R-1,notes.txt,,,,,,", "not a picture"),
        ("R-1,empty.jpg,,,,,,", "is empty"),
        ("R-1,cut.jpg,,,,,,", "damaged"),
        ("R-1,red.jpg,,,,cheap,,", "price “cheap”"),
        ("R-1,red.jpg,,,,-1,,", "price"),
        ("R-1,red.jpg,,,,NaN,,", "price"),
        ('R-1,red.jpg,,,,"1,250",,', "may mean two things"),
        ("R-1,red.jpg,,,,1,euro,", "currency “euro”"),
        ("R-1,red.jpg,,,,12,50,EUR,", "more cells than columns"),
        ("R-1,red.jpg," + "x" * 201 + ",,,,,", "title"),
        ("R-1,red.jpg,," + "x" * 81 + ",,,,", "category"),
    ],
)
def test_a_row_that_fails_is_reported_and_stops_nothing(folder, stored, row, reason):
    put(folder.parent, "secret.jpg")
    put(folder, "notes.txt", b"no picture")
    put(folder, "empty.jpg", b"")
    put(folder, "cut.jpg", jpeg()[:800])
    (folder / "link.jpg").symlink_to(folder.parent / "secret.jpg")
    table = write(folder, HEADER + row + "\n" + "G-1,green.jpg,Green,Fine,Fine,1,EUR,fine\n")
    result = Result(table)
    assert result.status == 1
    assert result.counts() == (1, 0, 0, 1), result
    assert result.err.startswith("line 2, ")
    assert reason in result.err
    assert Product.objects.get().sku == "G-1"
    assert len(stored()) == 1


@pytest.mark.parametrize(
    ("column", "value"), [("availability", "maybe"), ("link", "javascript:alert(1)"), ("link", "https://"),
                          ("published", "perhaps"), ("position", "-1"), ("position", "first")],
)  # fmt: skip
def test_wrong_values_of_other_columns(folder, column, value):
    result = Result(write(folder, f"sku,file,{column}\nR-1,red.jpg,{value}\n"))
    assert result.status == 1
    assert value in result.err or "URL" in result.err
    assert not Product.objects.exists()


def test_what_a_failing_row_began_is_undone_and_not_relied_on(folder):
    """The first row makes a category and fails; the second needs the same category."""
    table = write(
        folder,
        "sku,file,category,brand,link\nR-1,red.jpg,New/Category,New,https://\nB-1,blue.jpg,New/Category,New,\n",
    )
    assert Result(table).counts() == (1, 0, 0, 1)
    assert Product.objects.get().category.name == "Category"
    assert Category.objects.count() == 2


def test_a_refused_replacement_leaves_product_and_photo(folder, stored):
    table = write(folder, HEADER + "R-1,red.jpg,Red,,,,,\n")
    Result(table)
    put(folder, "red.jpg", b"broken now")
    table.write_text(HEADER + "R-1,red.jpg,Scarlet,,,,,\n")
    assert Result(table).counts() == (0, 0, 0, 1)
    assert Product.objects.get().title == "Red"
    assert Image.objects.get().original.name in stored()


def test_lines_are_counted_as_an_editor_does(folder):
    table = write(folder, HEADER + '\nR-1,red.jpg,"Red\ndress",,,,,\n\n,,,,,,,\nB-1,missing.jpg,,,,,,\n')
    result = Result(table)
    assert "line 7, missing.jpg" in result.err
    assert result.counts() == (1, 0, 0, 1)


# --- Tables as programs write them --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "encoding"),
    [
        (HEADER + "R-1,red.jpg,Größe,,,12.50,EUR,\n", "utf-8-sig"),
        ((HEADER + "R-1,red.jpg,Größe,,,12.50,EUR,\n").replace("\n", "\r\n"), "utf-8"),
        ("SKU;File;Title;Price\nR-1;red.jpg;Größe;12,50\n", "utf-8"),
        ("sku\tfile\ttitle\tprice\nR-1\tred.jpg\tGröße\t12.5\n", "utf-8"),
        (' sku , file ,title, price\nR-1, red.jpg ,Größe,"12,50"\n', "utf-8"),
    ],
)
def test_notations_of_tables(folder, table, encoding):
    result = Result(write(folder, table, encoding))
    assert result.counts() == (1, 0, 0, 0), result
    product = Product.objects.get()
    assert (product.title, product.price, product.currency) == ("Größe", Decimal("12.50"), "EUR")


@pytest.mark.parametrize(
    ("text", "price"),
    [("1,250.00", "1250"), ("1.250,00", "1250"), ("1'250.50", "1250.50"), ("1 250,5", "1250.50"), ("0", "0"),
     ("1.234.567", "1234567"), (".5", "0.5"), ("0.999", "1")],
)  # fmt: skip
def test_notations_of_prices(folder, text, price):
    Result(write(folder, f'sku,file,price\nR-1,red.jpg,"{text}"\n'))
    assert Product.objects.get().price == Decimal(price)


def test_the_currency_of_prices_that_name_none(folder):
    table = write(folder, "sku,file,price,currency\nR-1,red.jpg,5,\nB-1,blue.jpg,5,CHF\n")
    Result(table, "--currency", "JPY")
    assert set(Product.objects.values_list("sku", "currency")) == {("R-1", "JPY"), ("B-1", "CHF")}
    with pytest.raises(CommandError, match="three capital letters"):
        Result(table, "--currency", "yen")


def test_unknown_columns_are_named(folder):
    result = Result(write(folder, "sku,file,colour,size:eu\nR-1,red.jpg,red,38\n"))
    assert result.status == 0
    assert "Columns that are not used: colour, size:eu" in result.err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"title,price\nDress,5\n", "no column sku, file"),
        (b"", "no column sku, file"),
        (b"sku,file,sku\nA,red.jpg,B\n", "twice: sku"),
        ("sku,file,title\nR,red.jpg,Größe\n".encode("latin-1"), "not UTF-8"),
        ("sku,file\nR,red.jpg\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_tables_that_cannot_be_read(folder, content, reason):
    table = put(folder, "catalogue.csv", content)
    with pytest.raises(CommandError, match=reason):
        Result(table)


# --- Folders ------------------------------------------------------------------------------------------


def test_a_folder_whose_subfolders_are_categories(folder):
    put(folder, "Dresses/Summer/Red dress_1.jpg", jpeg(color="red"))
    put(folder, "Hats/hat.png", files.of_format("png"))
    put(folder, "loose.webp", files.of_format("webp"))
    put(folder, "Hats/readme.txt", b"nothing to see")
    put(folder, "Hats/.hidden.jpg")
    put(folder, "__MACOSX/Hats/hat.png")
    result = Result(folder)
    assert (result.status, result.counts()) == (0, (3, 0, 0, 0)), result
    assert "no pictures: 1" in result.err
    product = Product.objects.get(sku="dresses-summer-red-dress_1")
    assert product.title == "Red dress 1"
    assert (product.category.name, product.category.parent.name) == ("Summer", "Dresses")
    assert Product.objects.get(sku="loose").category is None
    assert Result(folder).counts() == (0, 0, 3, 0)


def test_a_folder_with_a_table_is_the_table(folder):
    write(folder, HEADER + "R-1,red.jpg,Red,,,,,\n")
    assert Result(folder).counts() == (1, 0, 0, 0)


def test_names_that_make_no_sku_of_their_own(folder):
    names = ["连衣裙/红.jpg", "连衣裙/蓝.jpg", "a b.jpg", "a-b.jpg", "a-b.png", "é.jpg", "x" * 100 + ".jpg", "-.jpg"]
    for n, name in enumerate(names):
        put(folder, name, jpeg(size=(100 + n, 80)))
    result = Result(folder)
    assert result.counts() == (8, 0, 0, 0), result
    assert Product.objects.count() == 8
    assert Category.objects.get().name == "连衣裙"
    assert Result(folder).counts() == (0, 0, 8, 0)


@pytest.mark.parametrize("kind", ["nothing", "empty", "text", "tables"])
def test_sources_that_are_none(folder, kind):
    source = {"nothing": folder / "missing", "text": put(folder, "a.bin", b"text")}.get(kind, folder)
    if kind == "empty":
        (folder / "a.bin").unlink()
    if kind == "tables":
        put(folder, "a.csv", b"sku,file\n")
        put(folder, "b.csv", b"sku,file\n")
    with pytest.raises(CommandError):
        Result(source)


# --- Archives -----------------------------------------------------------------------------------------


def pack(folder: Path, members: dict[str, bytes], **options) -> Path:
    path = folder.parent / "catalogue.zip"
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_an_archive_is_the_folder_in_it(folder):
    put(folder, "Dresses/red.jpg", jpeg(color="red"))
    put(folder, "Dresses/blue.jpg", jpeg(color="blue"))
    put(folder, "Hats/hat.jpg", jpeg(color="green"))
    assert Result(folder).counts() == (3, 0, 0, 0)
    members = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.jpg")}
    assert Result(pack(folder, members)).counts() == (0, 0, 3, 0)
    wrapped = {f"catalogue/{name}": data for name, data in members.items()} | {"__MACOSX/catalogue/._red.jpg": b"x"}
    assert Result(pack(folder, wrapped)).counts() == (0, 0, 3, 0)


def test_an_archive_with_a_table(folder):
    members = {"shop/catalogue.csv": HEADER.encode() + b"R-1,img/red.jpg,Red,,,,,\n", "shop/img/red.jpg": jpeg()}
    assert Result(pack(folder, members)).counts() == (1, 0, 0, 0)


def test_nothing_is_unpacked_outside(folder):
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = 0o120777 << 16
    path = pack(folder, {"../evil.jpg": jpeg(), "/evil.jpg": jpeg(), "C:/evil.jpg": jpeg(), "good.jpg": jpeg()})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert Result(path).counts() == (1, 0, 0, 0)
    assert Image.objects.get().source_name == "good.jpg"
    assert not list(folder.parent.rglob("evil.jpg"))


def test_an_archive_that_unpacks_to_too_much(folder):
    path = pack(folder, {"bomb.csv": b"\0" * (300 << 20)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(CommandError, match="more than fits"):
        Result(path)


def test_a_member_above_the_limit_fails_alone(folder, settings):
    settings.MAX_IMAGE_BYTES = 50_000
    result = Result(pack(folder, {"big.jpg": b"\0" * 200_000, "good.jpg": jpeg()}))
    assert result.counts() == (1, 0, 0, 1)
    assert "larger than" in result.err


def test_a_protected_archive(folder):
    path = pack(folder, {"a.jpg": jpeg()})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the directory
    path.write_bytes(data)
    with pytest.raises(CommandError, match="password"):
        Result(path)


@pytest.mark.parametrize("damage", ["cut", "middle", "text"])
def test_a_damaged_archive(folder, damage):
    path = pack(folder, {"a.jpg": jpeg(), "b.jpg": jpeg(color="blue")}, compression=zipfile.ZIP_DEFLATED)
    data = path.read_bytes()
    if damage == "middle":
        data = data[:60] + b"\xff" * 200 + data[260:]
    path.write_bytes({"cut": data[:-40], "middle": data, "text": b"no archive"}[damage])
    with pytest.raises(CommandError, match="damaged"):
        Result(path)
    assert not Product.objects.exists()


def test_chinese_names_of_older_archives(folder):
    path = pack(folder, {"ABCDEF.jpg": jpeg(), "catalogue.csv": "sku,file\nR-1,红连衣.jpg\n".encode()})
    raw = "红连衣".encode("gb18030")
    path.write_bytes(path.read_bytes().replace(b"ABCDEF", raw))
    assert Result(path).counts() == (1, 0, 0, 0)
    assert Image.objects.get().source_name == "红连衣.jpg"


# --- Dry runs -----------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_happen_and_writes_nothing(folder, stored, announced):
    table = write(folder, HEADER + "R-1,red.jpg,Red,A,V,1,EUR,x\nB-1,blue.jpg,Blue,A,V,1,EUR,x\n")
    assert Result(table, "--dry-run").counts() == (2, 0, 0, 0)
    assert not Product.objects.exists()
    assert not Category.objects.exists()
    assert stored() == []

    Result(table)
    names = stored()
    put(folder, "green.jpg", b"broken")
    table.write_text(
        HEADER + "R-1,red.jpg,Scarlet,A,V,1,EUR,x\nB-1,blue.jpg,Blue,A,V,1,EUR,x\nG-1,green.jpg,,New,,,,\n"
    )
    result = Result(table, "--dry-run")
    assert (result.status, result.counts()) == (1, (0, 1, 1, 1))
    assert "nothing was changed" in result.out
    assert Product.objects.get(sku="R-1").title == "Red"
    assert stored() == names


# --- What was taken down --------------------------------------------------------------------------------


def take_down(image: Image, days: int) -> None:
    """So long ago; the photo is gone for good after 30 days."""
    image.take_down(None, "A court said so.")
    Image.objects.filter(pk=image.pk).update(taken_down_at=timezone.now() - timedelta(days=days))
    assert Image.objects.purge_taken_down() == ([image.sha256] if days > 30 else [])


@pytest.mark.parametrize("days", [1, 31])
def test_the_file_of_a_photo_that_was_taken_down_comes_in_as_rejected(folder, days):
    Result(write(folder, HEADER + "R-1,red.jpg,Red,,,,,\n"))
    take_down(Image.objects.get(), days)
    table, told = write(folder, HEADER + "R-2,red.jpg,Red,,,,,\n"), "line 2: This very file was taken down before"
    assert told in Result(table, "--dry-run").err
    result = Result(table)
    assert result.counts() == (1, 0, 0, 0) and told in result.err, result
    image = Image.objects.get(product__sku="R-2")
    assert (image.status, image.status_reason) == ("rejected", "This very file was taken down before.")
    assert "line 2: The photo stays hidden: Rejected." in Result(table).err
    image.approve(None)
    result = Result(write(folder, HEADER + "R-3,red.jpg,Red,,,,,\n"))
    assert told not in result.err and Image.objects.get(product__sku="R-3").status == "approved"


def test_a_file_that_was_taken_down_does_not_take_the_place_of_another(folder, stored):
    table = write(folder, HEADER + "R-1,red.jpg,Red,,,,,\nB-1,blue.jpg,Blue,,,,,\n")
    Result(table)
    take_down(Image.objects.get(product__sku="R-1"), 31)
    before = Image.objects.values("sha256", "status", "revision").get()
    put(folder, "blue.jpg", (folder / "red.jpg").read_bytes())
    table.write_text(HEADER + "B-1,blue.jpg,Blue,,,,,\n")
    names = stored()
    for options in (["--dry-run"], []):
        result = Result(table, *options)
        assert result.counts() == (0, 0, 0, 1) and "does not replace the photo" in result.err, result
    assert (Image.objects.values("sha256", "status", "revision").get(), stored()) == (before, names)
