"""Documents, feeds and links as sources of an import; and input that is bad in the ways that input is."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError

from gallery import jobs
from gallery.importing.tables import read_table
from gallery.importing.work import start_check, start_import
from gallery.intake import add_image
from gallery.models import CatalogueImport, Image, Product
from gallery.signals import vector_offered
from tests.gallery.test_import import Result, pack, put
from tests.internet import PUBLIC, Answer, Host, Internet, gives, internet, redirects, serving
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db

FEED = "http://shop.example/feed"
RED, BLUE = jpeg(color="red"), jpeg(color="blue")


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    return folder


@pytest.fixture
def net(monkeypatch) -> Iterator[Internet]:
    with internet(monkeypatch.setattr) as net:
        net.names |= {"shop.example": [[PUBLIC]], "inner.example": [["127.0.0.1"]]}
        yield net


@pytest.fixture
def shop_of(net) -> Iterator[Callable[..., Host]]:
    """Starts the server of ``shop.example``, with two pictures and these answers."""
    with ExitStack() as stack:

        def start(routes: dict[str, Answer] | None = None) -> Host:
            usual = {"/red.jpg": gives(RED), "/img/blue.jpg": gives(BLUE), "/to": redirects}
            return stack.enter_context(serving(net, PUBLIC, usual | (routes or {})))

        yield start


@pytest.fixture
def imported(staff) -> Callable[[str], CatalogueImport]:
    """Check a feed by its address and import it, as the page does."""

    def run(url: str) -> CatalogueImport:
        one = CatalogueImport.objects.create(url=url, name="feed", created_by=staff)
        start_check(one, staff)
        jobs.run(str(one.check_job.pk))
        one = CatalogueImport.objects.with_jobs().get(pk=one.pk)
        if one.is_checked:
            start_import(one, staff)
            jobs.run(str(one.import_job.pk))
        return CatalogueImport.objects.with_jobs().get(pk=one.pk)

    return run


def ndjson(folder: Path, *lines: object) -> Path:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return put(folder, "documents.ndjson", text.encode())


def rss(*items: str) -> bytes:
    return (
        '<?xml version="1.0"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>\n'
        "<title>The shop</title><link>http://shop.example/</link>\n" + "\n".join(items) + "</channel></rss>"
    ).encode()


ITEM = """<item><g:id>R-1</g:id><title>Red &amp; long</title><description>Of linen</description>
<link>http://shop.example/r</link><g:image_link>http://shop.example/red.jpg</g:image_link>
<g:additional_image_link>http://shop.example/img/blue.jpg</g:additional_image_link>
<g:availability>in stock</g:availability><g:price>12.90 CHF</g:price><g:brand>Velluto</g:brand>
<g:google_product_category>2271</g:google_product_category><g:product_type>Clothing &gt; Half/half</g:product_type>
<g:color>Red/Dark Red</g:color><g:size>M</g:size><g:gtin>123</g:gtin>
<g:shipping><g:price>4.90 CHF</g:price></g:shipping></item>"""


# --- Documents ----------------------------------------------------------------------------------------------


def test_documents_with_files_beside_them(folder):
    put(folder, "red.jpg", RED)
    document = {
        "sku": "R-1", "file": "red.jpg", "title": "=Red", "price": 12.5, "currency": "EUR", "tags": ["a;b", "c"],
        "published": False, "attr:Size": ["S", "M"], "title:zh-hans": "红", "position": 3, "alt": None,
    }  # fmt: skip
    table = ndjson(folder, {"index": {"_id": "1"}}, document)
    result = Result(table)
    assert (result.status, result.counts(), result.err) == (0, (1, 0, 0, 0), "")
    product = Product.objects.get()
    assert (product.title, product.price, product.published) == ("=Red", Decimal("12.5"), False)
    assert set(product.tags.names()) == {"a;b", "c"}
    assert product.attributes == {"Size": ["S", "M"]} and product.translations == {"zh-hans": {"title": "红"}}
    assert product.images.get().position == 3
    assert Result(table).counts() == (0, 0, 1, 0)


def test_documents_without_actions_and_with_keys_for_skus(folder):
    put(folder, "red.jpg", RED)
    documents = [{"create": {"_id": "K-1"}}, {"file": "red.jpg", "colour": "x"}, "", {"sku": "K-2", "file": "red.jpg"}]
    result = Result(ndjson(folder, *documents))
    assert result.counts() == (2, 0, 0, 0)
    assert "Columns that are not used: colour" in result.err
    assert set(Product.objects.values_list("sku", flat=True)) == {"K-1", "K-2"}


def test_a_picture_behind_a_link_is_known_by_its_file_s_name(folder, shop_of):
    host = shop_of()
    table = ndjson(
        folder, {"sku": "R-1", "file": "photos/R-1/front.jpg", "image_url": "http://shop.example/red.jpg?v=1"}
    )
    assert Result(table, "--dry-run").counts() == (1, 0, 0, 0)
    assert host.requests == [], "a dry run fetches nothing"
    assert Result(table).counts() == (1, 0, 0, 0)
    image = Image.objects.get()
    assert (image.source_name, image.original.read()) == ("front.jpg", RED)
    assert Result(table).counts() == (0, 0, 1, 0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "no JSON object"),
        ("{broken", "no JSON object"),
        ('{"delete": {"_id": "1"}}', "not delete"),
        ('{"sku": "R-1"}', "file column is empty"),
        ('{"sku": "R-1", "image_url": "http://inner.example/x.jpg"}', "not on the public internet"),
        ('{"sku": "R-1", "image_url": "http://shop.example/gone.jpg"}', "no picture at that link"),
        ('{"sku": "R-1", "image_url": "http://shop.example/page"}', "web page"),
        ('{"sku": "R-1", "file": "../x.jpg"}', "outside"),
    ],
)
def test_a_bad_document_fails_alone(folder, shop_of, line, reason):
    shop_of({"/gone.jpg": gives(b"", status=404), "/page": gives(b"<html>", "text/html")})
    put(folder, "red.jpg", RED)
    result = Result(ndjson(folder, {"sku": "G-1", "file": "red.jpg"}, line))
    assert result.counts() == (1, 0, 0, 1) and reason in result.err and "line 2" in result.err
    assert Product.objects.get().sku == "G-1"


@pytest.mark.parametrize(
    ("data", "reason"), [(b"\xff\xfe\x00", "not NDJSON"), (b"\n\n", "no document"), (b"<html>", "NDJSON")]
)
def test_files_that_are_no_documents(folder, data, reason):
    with pytest.raises(CommandError, match=reason):
        Result(put(folder, "d.ndjson", data))


def test_a_line_that_is_too_long_fails_alone(folder):
    put(folder, "red.jpg", RED)
    long = {"sku": "R-2", "file": "red.jpg", "description": "x" * (10 << 20)}
    documents = [{"sku": "R-1", "file": "red.jpg"}, {"index": {"_id": "R-2"}}, long, {"sku": "R-3", "file": "red.jpg"}]
    result = Result(ndjson(folder, *documents))
    assert result.counts() == (2, 0, 0, 1) and "Line 3 of documents.ndjson is too long" in result.err
    assert set(Product.objects.values_list("sku", flat=True)) == {"R-1", "R-3"}


def test_a_key_is_of_the_next_line_alone(folder):
    """A document that cannot be read does not give its key to the one after it."""
    put(folder, "red.jpg", RED)
    documents = [{"sku": "R-1", "file": "red.jpg"}, {"index": {"_id": "R-2"}}, "{broken", {"file": "red.jpg"}]
    assert Result(ndjson(folder, *documents)).counts() == (1, 0, 0, 2)
    assert Product.objects.get().sku == "R-1"


def test_halves_of_characters_fail_nothing(folder):
    put(folder, "red.jpg", RED)
    lines = ['{"sku": "R-1", "file": "red.jpg", "title": "Red \\ud83d", "attr:\\ud83d": "x", "\\ud83d": "y"}',
             {"sku": "R-2", "file": "red.jpg"}]  # fmt: skip
    result = Result(ndjson(folder, *lines))
    assert result.counts() == (2, 0, 0, 0)
    assert Product.objects.get(sku="R-1").title == "Red \ufffd"


def test_a_number_in_a_document_means_one_thing(folder):
    put(folder, "red.jpg", RED)
    Result(ndjson(folder, {"sku": "R-1", "file": "red.jpg", "price": 1.234}))
    assert Product.objects.get().price == Decimal("1.23")


def test_a_line_without_end_is_not_read_into_memory(folder, monkeypatch):
    monkeypatch.setattr("gallery.importing.bulk._LONGEST_LINE", 1000)
    with pytest.raises(CommandError, match="Line 1 of d"):
        Result(put(folder, "d.ndjson", b'{"sku": "' + b"x" * 2000))


# --- Links in tables ----------------------------------------------------------------------------------------


def test_links_in_the_file_column(folder, shop_of):
    host = shop_of({"/a/1.jpg": gives(RED), "/b/1.jpg": gives(BLUE)})
    table = put(folder, "t.csv", b"sku,file\nR-1,http://shop.example/a/1.jpg\nR-1,http://shop.example/b/1.jpg\n")
    assert Result(table).counts() == (2, 0, 0, 0)
    first, second = Image.objects.order_by("position")
    assert first.source_name == "1.jpg" and second.source_name.startswith("1-") and first.sha256 != second.sha256
    assert Result(table).counts() == (0, 0, 2, 0)
    assert len(host.requests) == 4


# --- Feeds --------------------------------------------------------------------------------------------------


def test_a_feed_in_xml(shop_of, imported):
    shop_of({"/feed": gives(rss(ITEM), "application/rss+xml")})
    one = imported(FEED)
    assert (one.check_job.result["created"], one.check_job.result["links"]) == (2, 2)
    assert one.import_job.result["created"] == 2, one.import_job.result
    product = Product.objects.get()
    assert (product.sku, product.title, product.description) == ("R-1", "Red & long", "Of linen")
    assert (product.price, product.currency, product.availability) == (Decimal("12.90"), "CHF", "in_stock")
    assert (product.brand.name, product.link) == ("Velluto", "http://shop.example/r")
    assert (product.category.name, product.category.parent.name) == ("Half/half", "Clothing")
    assert product.attributes == {"color": ["Red", "Dark Red"], "size": ["M"]}
    assert [image.original.read() for image in product.images.all()] == [RED, BLUE]
    assert one.check_job.result["warnings"] == ["Columns that are not used: gtin"]
    assert imported(FEED).import_job.result["unchanged"] == 2


def test_a_feed_as_a_table_with_tabs(shop_of, imported):
    feed = (
        "id\ttitle\timage link\tadditional image link\tprice\tavailability\tgoogle product category\n"
        "R-1\tRed, long\thttp://shop.example/red.jpg\thttp://shop.example/img/blue.jpg\t12,90 €\tpreorder\tA > B\n"
        "B 1\tBlue\thttp://shop.example/img/blue.jpg\t\t5\tsold\t\n"
    )
    shop_of({"/feed": gives(feed.encode(), "text/tab-separated-values")})
    one = imported(FEED)
    result = one.import_job.result
    assert (result["created"], result["failed"]) == (2, 1)
    assert result["failures"][0]["line"] == 3 and "B 1" in result["failures"][0]["reason"]
    product = Product.objects.get()
    assert (product.title, product.price, product.currency) == ("Red, long", Decimal("12.90"), "EUR")
    assert (product.availability, product.category.name) == ("preorder", "B")


def test_a_text_that_is_too_long_fails_its_item_alone(folder, shop_of):
    shop_of()
    long = ITEM.replace("R-1", "R-2").replace("Of linen", "x" * 300_000)
    other = ITEM.replace("R-1", "R-3").replace("123", "9" * 300_000)  # in a column that is not used
    result = Result(put(folder, "feed.xml", rss(ITEM, long, other)))
    assert result.counts() == (4, 0, 0, 2)
    assert "description: use at most 100000 characters" in result.err
    assert set(Product.objects.values_list("sku", flat=True)) == {"R-1", "R-3"}


def test_an_atom_feed(folder, shop_of):
    shop_of()
    feed = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><entry><g:id>A-1</g:id>'
        '<title>T</title><summary>S</summary><link href="http://shop.example/a"/>'
        "<g:image_link>http://shop.example/red.jpg</g:image_link></entry></feed>"
    )
    assert Result(put(folder, "feed.xml", feed.encode())).counts() == (1, 0, 0, 0)
    product = Product.objects.get()
    assert (product.title, product.description, product.link) == ("T", "S", "http://shop.example/a")


def test_what_is_imported_is_what_was_checked(shop_of, imported, staff):
    answers = iter([rss(ITEM), rss(ITEM.replace("Red &amp; long", "Other"))])
    shop_of({"/feed": lambda request: gives(next(answers), "text/xml")(request)})
    imported(FEED)
    assert Product.objects.get().title == "Red & long"


def test_a_feed_is_fetched_as_the_rules_for_links_say(net, shop_of, imported):
    host = shop_of({"/feed": gives(rss(ITEM), "text/xml")})
    for url in ("http://inner.example/feed", "http://127.0.0.1/feed", "http://shop.example:8080/feed",
                "http://shop.example/to?http://inner.example/feed"):  # fmt: skip
        one = imported(url)
        assert one.check_job.state == "failed" and not one.file, url
        assert "public internet" in one.check_job.says or "port 8080" in one.check_job.says
    assert net.connected == [PUBLIC]
    ((_path, headers),) = host.requests
    assert headers["Accept"].startswith("application/xml")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (gives(b"<!DOCTYPE html><html></html>", "text/html"), "leads to a web page, not a feed"),
        (gives(b"<!DOCTYPE html><html></html>", "text/xml"), "leads to a web page, not a feed"),
        (gives(b"<?xml version='1.0'?><html><body/></html>", "text/xml"), "is a web page, not a feed"),
        (gives(b"x" * 5000, "text/plain"), "larger than"),
        (gives(b"%PDF", "application/pdf"), "a file of another kind"),
        (gives(b"", "text/plain", 404), "no feed at that address"),
        (gives(b"", "text/plain"), "no column sku, file"),
        (gives(b"<rss><channel/></rss>", "text/xml"), "There is no item"),
        (gives(b"<rss><channel>", "text/xml"), "is not XML"),
        (gives(b"\x1f\x8b", "text/xml", Content_Encoding="gzip"), "compressed form"),
    ],
)
def test_addresses_that_are_no_feeds(shop_of, imported, settings, answer, reason):
    settings.FEED_MAX_BYTES = 4000
    shop_of({"/feed": answer})
    one = imported(FEED)
    assert one.check_job.state == "failed" and reason in one.check_job.says
    assert one.import_job is None and not Product.objects.exists()


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE rss [<!ENTITY secret SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss SYSTEM "http://inner.example/dtd">',
    ],
)
def test_entities_are_refused(folder, net, declaration):
    feed = f"<?xml version='1.0'?>{declaration}<rss><channel><item><id>&b;</id></item></channel></rss>"
    with pytest.raises(CommandError, match="document type or entities"):
        Result(put(folder, "feed.xml", feed.encode()))
    assert net.connected == []


# --- Bad tables and archives --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "price", "currency"),
    [
        ("12,90 €", "12.90", "EUR"), ("€12.90", "12.90", "EUR"), ("1.250,00 €", "1250", "EUR"),
        ("12.90 CHF", "12.90", "CHF"), ("GBP 5", "5", "GBP"), ("£5", "5", "GBP"), ("12,90\u00a0€", "12.90", "EUR"),
    ],
)  # fmt: skip
def test_prices_with_their_currency(folder, text, price, currency):
    put(folder, "red.jpg", RED)
    Result(put(folder, "t.csv", f'sku,file,price\nR-1,red.jpg,"{text}"\n'.encode()))
    product = Product.objects.get()
    assert (product.price, product.currency) == (Decimal(price), currency)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("$5", "three letters"),
        ("5 euros", "three letters"),
        ("EUR", "three letters"),
        ("5 EUR", "is in EUR and the currency says CHF"),
        ("12.10.2024", "use a number like 12.50"),
        ("12 90", "use a number like 12.50"),
        ("1.2.3", "use a number like 12.50"),
        ("12.34.567", "use a number like 12.50"),
    ],
)
def test_prices_that_say_nothing_certain(folder, text, reason):
    put(folder, "red.jpg", RED)
    result = Result(put(folder, "t.csv", f"sku,file,price,currency\nR-1,red.jpg,{text},CHF\n".encode()))
    assert result.counts() == (0, 0, 0, 1) and reason in result.err


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_delimiters_and_marks_at_the_beginning(folder, delimiter, start):
    put(folder, "red.jpg", RED)
    text = "sku,file,title\nR-1,red.jpg,Größe\n".replace(",", delimiter).encode()
    assert Result(put(folder, "t.csv", start + text)).counts() == (1, 0, 0, 0)
    assert Product.objects.get().title == "Größe"


def test_the_hint_that_spreadsheets_write(folder):
    put(folder, "red.jpg", RED)
    table = put(folder, "t.csv", "sep=;\r\nsku;file;title\r\nR-1;red.jpg;A\r\nR 2;red.jpg;B\r\n".encode("utf-8-sig"))
    result = Result(table)
    assert result.counts() == (1, 0, 0, 1) and "line 4, red.jpg" in result.err


def test_a_huge_cell_fails_its_row_alone(folder):
    put(folder, "red.jpg", RED)
    table = f"sku,file,description\nR-1,red.jpg,{'x' * (10 << 20)}\nG-1,red.jpg,fine\n".encode()
    result = Result(put(folder, "t.csv", table))
    assert result.counts() == (1, 0, 0, 1)
    assert "line 2, red.jpg: description: use at most 100000 characters." in result.err
    assert Product.objects.get().sku == "G-1"
    rows, _warnings = read_table(folder / "t.csv")
    assert len(rows[0][1]["description"]) < 200_000, "a table of them would not fit in memory"


def test_a_quote_that_is_never_closed_is_said(folder, monkeypatch):
    monkeypatch.setattr("gallery.importing.tables._MOST_CELL", 1000)
    put(folder, "red.jpg", RED)
    with pytest.raises(CommandError, match="A quote may be open"):
        Result(put(folder, "t.csv", ('sku,file,title\nR-1,red.jpg,"Open\n' + "R-2,red.jpg,x\n" * 200).encode()))
    assert not Product.objects.exists()


def test_duplicate_skus_are_said(folder):
    put(folder, "red.jpg", RED)
    put(folder, "blue.jpg", BLUE)
    result = Result(put(folder, "t.csv", b"sku,file,title\nR-1,red.jpg,Red\nR-1,blue.jpg,Blue\nR-1,red.jpg,Red\n"))
    assert result.counts() == (2, 0, 1, 0)
    assert "line 3: title: line 2 said something else of this SKU, and stands." in result.err
    assert "line 4: SKU and file are those of line 2; passed over." in result.err


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("page.csv", b"<!doctype html><html></html>", "is a web page or XML"),
        ("t.xlsx", b"PK\x03\x04", "Save it as CSV UTF-8"),
        ("t.ods", b"PK\x03\x04", "Save it as CSV UTF-8"),
        ("t.doc", b"x", "neither a folder"),
        ("t.csv", "sku,file\nR,r.jpg\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_files_that_are_no_tables(folder, name, data, reason):
    with pytest.raises(CommandError, match=reason):
        Result(put(folder, name, data))


def test_what_lies_outside_of_an_archive_is_named(folder):
    path = pack(folder, {"../evil.jpg": RED, "good.jpg": RED, "/etc/evil.jpg": RED})
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    result = Result(path)
    assert result.counts() == (1, 0, 0, 0)
    assert "3 files of the archive are links or lie outside of it, and were left out:" in result.err
    assert "../evil.jpg" in result.err and "link.jpg" in result.err


def test_an_archive_that_fills_disks_is_refused_before_it_is_unpacked(folder, monkeypatch):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", b"\0" * (300 << 20))
    path = put(folder, "bomb.zip", file.getvalue())
    monkeypatch.setattr("gallery.importing.archives._unpack_member", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(CommandError, match="more than fits"):
        Result(path)


# --- What happens meanwhile, and what is there already ------------------------------------------------------


@pytest.fixture
def meanwhile() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Does something after a row's product and photo were read, and before they are written."""
    receivers = []

    def do(action: Callable[[], object]) -> None:
        def receive(sender, vector, sha256, **kwargs) -> str:
            if not sha256:
                action()
            return ""

        vector_offered.connect(receive)
        receivers.append(receive)

    yield do
    for receiver in receivers:
        vector_offered.disconnect(receiver)


def with_vector(folder: Path, *rows: dict) -> Path:
    return ndjson(folder, *({"file": "red.jpg", "image_vector": [1.0], "encoder": "none@1"} | row for row in rows))


def test_an_edit_and_a_decision_meanwhile_stay(folder, meanwhile, moderator):
    put(folder, "red.jpg", RED)
    Result(with_vector(folder, {"sku": "R-1", "title": "Red"}))

    def others_work() -> None:
        Product.objects.filter(sku="R-1").update(price=7, currency="EUR")
        Image.objects.get().reject(moderator, "Stolen.")

    meanwhile(others_work)
    assert Result(with_vector(folder, {"sku": "R-1", "title": "Scarlet", "alt": "A dress"})).counts() == (0, 1, 0, 0)
    product, image = Product.objects.get(), Image.objects.get()
    assert (product.title, product.price) == ("Scarlet", 7)
    assert (image.alt_text, image.status, image.status_reason) == ("A dress", "rejected", "Stolen.")


def test_a_product_that_is_deleted_meanwhile_fails_its_row_alone(folder, meanwhile):
    put(folder, "red.jpg", RED)
    rows = {"sku": "R-1", "title": "Red"}, {"sku": "R-2"}
    Result(with_vector(folder, *rows))
    meanwhile(lambda: Product.objects.filter(sku="R-1").delete())
    result = Result(with_vector(folder, *({**row, "title": "New"} for row in rows)))
    assert result.counts() == (0, 1, 0, 1) and "Somebody deleted the product" in result.err
    assert Product.objects.get().title == "New"


def test_a_storage_that_takes_no_photo_fails_rows_and_leaves_nothing(folder, s3_server, settings):
    put(folder, "red.jpg", RED)
    table = put(folder, "t.csv", b"sku,file\nR-1,red.jpg\nR-2,red.jpg\n")
    options = {
        "endpoint_url": s3_server.endpoint_url,
        "region_name": s3_server.region,
        "access_key": s3_server.access_key,
        "secret_key": s3_server.secret_key,
        "bucket_name": "nowhere",
    }
    usual = settings.STORAGES
    settings.STORAGES = usual | {"originals": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}}
    result = Result(table)
    assert (result.status, result.counts()) == (1, (0, 0, 0, 2))
    assert "line 2, red.jpg: The storage of photos failed: " in result.err
    assert not Product.objects.exists()
    settings.STORAGES = usual
    assert Result(table).counts() == (2, 0, 0, 0)


def test_a_contribution_is_not_replaced_by_the_shop_s_file_of_its_name(folder, shopper):
    put(folder, "front.jpg", RED)
    table = put(folder, "t.csv", b"sku,file\nR-1,front.jpg\n")
    product = Product.objects.create(sku="R-1", title="Red")
    add_image(product, io.BytesIO(BLUE), "front.jpg", uploader=shopper, status=Image.Status.PENDING)
    assert Result(table).counts() == (1, 0, 0, 0)
    contributed, ours = Image.objects.order_by("position")
    assert (contributed.status, contributed.original.read()) == ("pending", BLUE)
    assert (ours.status, ours.original.read()) == ("approved", RED)
    assert Result(table).counts() == (0, 0, 1, 0)


def test_the_table_of_a_folder_or_archive_is_not_overlooked(folder):
    """Without it, every photo would become a product of its own."""
    put(folder, "red.jpg", RED)
    put(folder, "CATALOGUE.CSV", b"sku,file\nR-1,red.jpg\n")
    assert Result(folder).counts() == (1, 0, 0, 0)
    assert Product.objects.get().sku == "R-1"
    (folder / "CATALOGUE.CSV").rename(folder / "Prices.XLSX")
    for source in (folder, pack(folder, {"red.jpg": RED, "Prices.XLSX": b"PK"})):
        with pytest.raises(CommandError, match=r"Prices\.XLSX is a spreadsheet"):
            Result(source)
    assert Product.objects.count() == 1


def test_other_tags_are_another_revision(folder):
    """A form that is open notices, as it does of any other edit."""
    put(folder, "red.jpg", RED)
    Result(put(folder, "t.csv", b"sku,file,tags\nR-1,red.jpg,old\n"))
    before = Product.objects.get()
    lines = before.history.count()
    assert Result(put(folder, "t.csv", b"sku,file,tags\nR-1,red.jpg,new\n")).counts() == (0, 1, 0, 0)
    product = Product.objects.get()
    assert product.revision == before.revision + 1 and list(product.tags.names()) == ["new"]
    assert product.history.count() == lines + 1


def test_a_refused_photo_stays_hidden_and_the_import_says_so(folder, moderator, shopper):
    put(folder, "front.jpg", RED)
    table = put(folder, "t.csv", b"sku,file\nR-1,front.jpg\n")
    product = Product.objects.create(sku="R-1", title="Red")
    image = add_image(product, io.BytesIO(RED), "front.jpg", uploader=shopper)
    image.reject(moderator, "Stolen.")
    result = Result(table)
    assert result.counts() == (0, 0, 1, 0) and "line 2: The photo stays hidden: Rejected." in result.err
    assert Image.objects.get().status == "rejected"


def test_names_that_are_too_long_for_this_system(folder):
    """Windows takes names of 255 characters; in UTF-8 Chinese ones have three times as many bytes."""
    name = "红色的长连衣裙" * 17
    table = f"sku,file\nR-1,{name}.jpg\nR-2,{name}2.jpg\n".encode()
    path = pack(folder, {"catalogue.csv": table, f"{name}.jpg": RED, f"{name}2.jpg": BLUE})
    assert Result(path).counts() == (2, 0, 0, 0)
    first, second = Image.objects.order_by("product__sku")
    assert (first.original.read(), second.original.read()) == (RED, BLUE)
    assert first.source_name == f"{name}.jpg"
