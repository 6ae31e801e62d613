"""Import and export in the browser: what is sent is checked first, then imported by a job; failing rows come back."""

import csv
import io
import os
import zipfile
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from gallery import jobs
from gallery.importing.importer import Importer
from gallery.models import CatalogueImport, Image, Job, Product
from gallery.storage import walk
from gallery.sweep import sweep_files
from tests.catalogue import add_product
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db

TABLE = "sku,file,title,price\n"


def packed(table: str, **pictures: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("catalogue.csv", table)
        for name, data in pictures.items():
            archive.writestr(f"{name}.jpg", data)
    return file.getvalue()


def do_all_jobs() -> None:
    for job in Job.objects.filter(state=Job.State.QUEUED).order_by("created_at"):
        jobs.run(str(job.pk))


@pytest.fixture
def staffed(client, staff) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def sent(staffed) -> Callable[..., CatalogueImport]:
    """Send a file as the page does, and let its check end."""

    def send(name: str, data: bytes, **fields) -> CatalogueImport:
        response = staffed.post(reverse("imports"), {"file": SimpleUploadedFile(name, data), **fields})
        assert response.status_code == 302, response.content.decode()
        do_all_jobs()
        return CatalogueImport.objects.with_jobs().order_by("-created_at", "-pk")[0]

    return send


def started(client: Client, one: CatalogueImport) -> CatalogueImport:
    client.post(reverse("import-start", args=[one.pk]))
    do_all_jobs()
    return CatalogueImport.objects.with_jobs().get(pk=one.pk)


def page_of(client: Client, one: CatalogueImport) -> str:
    return client.get(reverse("import", args=[one.pk])).content.decode()


def files() -> list[str]:
    try:
        return list(walk(storages["default"], "imports"))
    except FileNotFoundError:
        return []


# --- Who may ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "name"),
    [("get", "imports"), ("post", "imports"), ("get", "import"), ("post", "import-start"), ("post", "import-discard"),
     ("post", "catalogue-export")],
)  # fmt: skip
def test_only_catalogue_staff_may(client, shopper, moderator, method, name):
    address = reverse(name, args=[uuid4()] if name not in ("imports", "catalogue-export") else [])
    response = getattr(client, method)(address)
    assert response.status_code == 302 and response["Location"].startswith(reverse("login"))
    for user in (shopper, moderator):
        client.force_login(user)
        assert getattr(client, method)(address).status_code == 403
    assert not Job.objects.exists()


def test_another_one_s_import_is_not_there(staffed, django_user_model):
    other = django_user_model.objects.create_user("other", "other@example.com", "x")
    one = CatalogueImport.objects.create(url="https://shop.example/feed", name="theirs.xml", created_by=other)
    assert staffed.get(reverse("import", args=[one.pk])).status_code == 404
    for name in ("import-start", "import-discard"):
        assert staffed.post(reverse(name, args=[one.pk])).status_code == 404
    assert one.name not in staffed.get(reverse("imports")).content.decode()


# --- Check, then import -------------------------------------------------------------------------------------


def test_a_check_shows_what_would_change_and_changes_nothing(staffed, sent, stored):
    add_product("R-1", title="Red", price="5.00", photos=1)
    Image.objects.update(source_name="red.jpg")
    before = stored()
    one = sent("c.zip", packed(
        TABLE + "R-1,red.jpg,Scarlet,6\nB-1,blue.jpg,Blue,7\nX 1,blue.jpg,,\nG-1,none.jpg,,\n",
        red=jpeg(size=(300, 200)), blue=jpeg(color="blue"),
    ))  # fmt: skip
    assert one.is_checked
    result = one.check_job.result
    assert [result[name] for name in ("created", "changed", "unchanged", "failed")] == [1, 1, 0, 2]
    assert (Product.objects.get().title, Product.objects.get().price, stored()) == ("Red", 5, before)
    changed, created = result["rows"]
    assert {d["column"]: (d["before"], d["after"]) for d in changed["differences"]} == {
        "title": ("Red", "Scarlet"), "price": ("5.00", "6.00"), "file": ("240 × 180 pixels", "300 × 200 pixels"),
    }  # fmt: skip
    assert ("title", "", "Blue") in [(d["column"], d["before"], d["after"]) for d in created["differences"]]
    page = page_of(staffed, one)
    assert "<del>Red</del>" in page and "<ins>Scarlet</ins>" in page
    assert "none.jpg is not there" in page and reverse("import-start", args=[one.pk]) in page


def test_an_import_runs_as_a_job_and_ends_in_a_receipt(staffed, sent, staff):
    one = sent("c.zip", packed(TABLE + "R-1,red.jpg,Red,5\n", red=jpeg()), currency="CHF")
    assert not Product.objects.exists()
    one = started(staffed, one)
    assert (one.import_job.state, one.import_job.result["created"]) == ("done", 1)
    product = Product.objects.get()
    assert (product.price, product.currency, product.images.get().uploader) == (5, "CHF", staff)
    assert product.history.latest().history_user == staff
    assert "Imported." in page_of(staffed, one)
    again = started(staffed, one)
    assert again.import_job.result == one.import_job.result | {"created": 0, "unchanged": 1}


def test_two_clicks_start_one_import(staffed, sent):
    one = sent("c.zip", packed(TABLE + "R-1,red.jpg,Red,5\n", red=jpeg()))
    for _click in range(2):
        staffed.post(reverse("import-start", args=[one.pk]))
    assert Job.objects.filter(kind="import").count() == 1


def test_what_was_not_checked_is_not_imported(staffed, sent):
    one = sent("c.csv", b"title,price\nRed,5\n")
    assert one.check_job.state == "failed" and "has no column sku, file" in page_of(staffed, one)
    staffed.post(reverse("import-start", args=[one.pk]))
    assert not Job.objects.filter(kind="import").exists()


def test_failing_rows_come_back_as_a_table_and_go_in_corrected(staffed, sent):
    table = TABLE + 'R-1,red.jpg,Red,5\nB 1,blue.jpg,"=Blue, really",cheap\nG-1,gone.jpg,\'=Green,\n'
    one = started(staffed, sent("shop.zip", packed(table, red=jpeg(), blue=jpeg(color="blue"))))
    assert one.import_job.result["failed"] == 2
    response = staffed.get(reverse("job-report", args=[one.import_job.pk]))
    text = b"".join(response.streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["line"], row["sku"], row["file"]) for row in rows] == [
        ("3", "B 1", "blue.jpg"), ("4", "G-1", "gone.jpg"),
    ]  # fmt: skip
    assert rows[1]["reason"] == "gone.jpg is not there. Check its name, also capitals."
    corrected = text.replace("B 1", "B-1").replace("cheap", "7").replace("gone.jpg", "blue.jpg")
    second = sent("failed.csv", corrected.encode(), pictures=str(one.pk))
    assert second.check_job.result["failed"] == 0 and second.check_job.result["created"] == 2
    assert second.check_job.result["warnings"] == []
    started(staffed, second)
    assert Product.objects.get(sku="B-1").title == "=Blue, really"
    green = Product.objects.get(sku="G-1")
    assert (green.title, green.images.get().source_name) == ("=Green", "blue.jpg")
    assert Product.objects.count() == 3


def test_a_table_alone_edits_what_is_there_and_adds_no_photo(staffed, sent):
    product = add_product("R-1", photos=2)
    keys = list(product.images.values_list("pk", "sha256"))
    one = sent("edited.csv", (TABLE + "R-1,photos/R-1/R-1-0.jpg,New title,8\nN-1,photos/N-1/n.jpg,N,1\n").encode())
    assert (one.check_job.result["changed"], one.check_job.result["failed"]) == (1, 1)
    assert "did not come along" in page_of(staffed, one)
    started(staffed, one)
    product.refresh_from_db()
    assert (product.title, product.price) == ("New title", 8)
    assert list(product.images.values_list("pk", "sha256")) == keys


def test_a_killed_import_goes_on_where_it_was(staffed, sent, monkeypatch):
    rows = "".join(f"P-{n},p{n}.jpg,Title {n},{n}.00\n" for n in range(6))
    rows = rows.replace("P-1,", "P 1,")
    pictures = {f"p{n}": jpeg(size=(100 + n, 80)) for n in range(6)}
    one = sent("c.zip", packed(TABLE + rows, **pictures))
    staffed.post(reverse("import-start", args=[one.pk]))
    job = Job.objects.get(kind="import")
    monkeypatch.setattr("gallery.importing.work._RESUME_SECONDS", 0)
    original, seen = Importer._import, []

    def killed_at_four(self, number, line, values):
        seen.append(number)
        if number == 4 and len(seen) == 5:
            raise KeyboardInterrupt  # nothing of the job's own sees it: as a killed process
        original(self, number, line, values)

    monkeypatch.setattr(Importer, "_import", killed_at_four)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.resume["row"], job.resume["failed"]) == ("running", 4, [1])
    jobs.run(str(job.pk))
    job.refresh_from_db()
    assert job.state == "done"
    assert seen == [0, 1, 2, 3, 4, 1, 4, 5], "what was imported is passed over, what failed is tried again"
    assert [job.result[name] for name in ("created", "unchanged", "failed")] == [5, 0, 1]
    assert (job.done, job.total, Image.objects.count()) == (6, 6, 5)


def test_a_resumed_import_knows_the_photos_of_earlier_rows(staffed, sent):
    """Two rows of one product with the same bytes: the second one may not take the first one's photo for its own."""
    table = "sku,file\nP-1,a.jpg\nP-1,b.jpg\n"
    one = sent("c.zip", packed(table, a=jpeg(), b=jpeg()))
    staffed.post(reverse("import-start", args=[one.pk]))
    job = Job.objects.get(kind="import")
    job.resume = {"row": 1, "counts": {"created": 1}, "failed": []}
    job.save()
    add_product("P-1", photos=0)
    from gallery.intake import add_image

    add_image(Product.objects.get(), io.BytesIO(jpeg()), "a-2.jpg")
    jobs.run(str(job.pk))
    assert sorted(Image.objects.values_list("source_name", flat=True)) == ["a-2.jpg", "b.jpg"]


def test_cancelling_keeps_what_is_in_and_says_so(staffed, sent, monkeypatch):
    pictures = {f"p{n}": jpeg(size=(100 + n, 80)) for n in range(4)}
    one = sent("c.zip", packed("sku,file\n" + "".join(f"P-{n},p{n}.jpg\n" for n in range(4)), **pictures))
    original = Importer._import

    def cancelling(self, number, line, values):
        original(self, number, line, values)
        if number == 1:
            Job.objects.get(kind="import").request_cancel()

    monkeypatch.setattr(Importer, "_import", cancelling)
    monkeypatch.setattr(jobs, "_WRITE_SECONDS", 0)
    one = started(staffed, one)
    assert (one.import_job.state, Product.objects.count()) == ("cancelled", 2)
    page = page_of(staffed, one)
    assert "Rows that were imported before stay" in page and "Import again" in page
    monkeypatch.setattr(Importer, "_import", original)
    one = started(staffed, one)
    assert (one.import_job.state, one.import_job.result["unchanged"], Product.objects.count()) == ("done", 2, 4)


def test_the_page_looks_again_while_a_job_runs(staffed, staff):
    one = CatalogueImport.objects.create(url="https://shop.example/f", name="feed", created_by=staff)
    one.check_job = jobs.start("import_check", staff, key=str(one.pk))
    one.save()
    fragment = staffed.get(reverse("import", args=[one.pk]), headers={"HX-Request": "true"}).content.decode()
    assert "every 1s" in fragment and "<html" not in fragment
    response = staffed.post(reverse("job-cancel", args=[one.check_job.pk]), {"next": reverse("import", args=[one.pk])})
    assert response["Location"] == reverse("import", args=[one.pk])
    assert "every 1s" not in page_of(staffed, one)


def test_a_discarded_file_goes(staffed, sent, django_capture_on_commit_callbacks):
    before = files()
    one = sent("c.zip", packed("sku,file\nR-1,red.jpg\n", red=jpeg()))
    assert len(files()) == len(before) + 1
    with django_capture_on_commit_callbacks(execute=True):
        staffed.post(reverse("import-discard", args=[one.pk]))
    assert files() == before and not CatalogueImport.objects.exists()


def test_old_imports_go_with_their_files(sent, settings, django_capture_on_commit_callbacks):
    before = files()
    sent("c.zip", packed("sku,file\nR-1,red.jpg\n", red=jpeg()))
    assert CatalogueImport.objects.purge() == 0
    age = timezone.timedelta(days=settings.JOBS_KEPT_DAYS + 1)
    CatalogueImport.objects.update(created_at=timezone.now() - age)
    with django_capture_on_commit_callbacks(execute=True):
        assert CatalogueImport.objects.purge() == 1
    assert files() == before


def test_characters_that_no_text_may_have_are_left_out_of_what_is_told(sent):
    one = sent("c.csv", b"sku,file,\0heading\nB 1,a\0b.jpg,x\n")
    assert "\0" not in str(one.check_job.result) and "\\x00" not in repr(one.check_job.result)
    assert one.check_job.result["failures"][0]["name"] == "ab.jpg"


def test_files_that_no_row_names_are_swept(sent, settings):
    one = sent("c.csv", b"sku,file\nB 1,b.jpg\n")
    kept = {one.file.name, one.check_job.report.name}
    left = storages["default"].save("imports/left.zip", ContentFile(b"x"))
    other = storages["default"].save("other/left.zip", ContentFile(b"x"))
    for name in (*kept, left, other):
        past = timezone.now().timestamp() - 3600 * (settings.UNNAMED_FILES_KEPT_HOURS + 1)
        os.utime(storages["default"].path(name), (past, past))
    assert sweep_files() == 1
    assert not storages["default"].exists(left)
    assert all(storages["default"].exists(name) for name in (*kept, other))
    for name in (*kept, other):  # their rows go with the test, and another test sweeps, too
        storages["default"].delete(name)


# --- What is not taken --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "one of the two"),
        ({"file": ("c.csv", b"sku,file\n"), "url": "https://shop.example/f"}, "one of the two"),
        ({"file": ("c.csv", b"")}, "That file is empty"),
        ({"file": ("c.exe", b"MZ")}, "Choose a CSV, ZIP, NDJSON or XML file."),
        ({"file": ("c.xlsx", b"PK")}, "Save it as CSV UTF-8"),
        ({"url": "shop.example/feed"}, "not the address of a feed"),
        ({"url": "https://shop.example/f", "currency": "euro"}, "at most 3 characters"),
    ],
)
def test_forms_that_are_not_taken(staffed, fields, reason):
    given = {name: SimpleUploadedFile(*value) if name == "file" else value for name, value in fields.items()}
    response = staffed.post(reverse("imports"), given)
    assert response.status_code == 422 and reason in response.content.decode()
    assert not CatalogueImport.objects.exists() and not Job.objects.exists()


def test_a_file_above_the_limit_is_cut_off_and_refused(staffed, settings):
    before = files()
    settings.MAX_IMAGE_BYTES, settings.IMPORT_MAX_BYTES = 1000, 5000
    for size, status in ((4000, 302), (9000, 422)):
        response = staffed.post(reverse("imports"), {"file": SimpleUploadedFile("c.csv", b"x" * size)})
        assert response.status_code == status
    assert "larger than" in response.content.decode()
    (kept,) = set(files()) - set(before)
    assert storages["default"].size(kept) == 4000, "more than a photo may have, and whole"


def test_cells_beyond_the_last_column_come_back_too(staffed, sent):
    table = TABLE + "R-1,red.jpg,Red,12,50,EUR\nG-1,green.jpg,Green,5\n"
    one = started(staffed, sent("shop.zip", packed(table, red=jpeg(), green=jpeg(color="green"))))
    text = b"".join(staffed.get(reverse("job-report", args=[one.import_job.pk])).streaming_content).decode()
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert (row["line"], row["price"], row["surplus"]) == ("2", "12", "50; EUR")
    assert "more cells than columns" in row["reason"]
    corrected = text.replace(",12,", ',"12,50",')
    second = sent("failed.csv", corrected.encode(), pictures=str(one.pk))
    assert (second.check_job.result["created"], second.check_job.result["warnings"]) == (1, [])


# --- Export -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["csv", "zip", "ndjson"])
def test_an_export_is_a_job_with_a_file(staffed, format):
    add_product("R-1")
    response = staffed.post(reverse("catalogue-export"), {"format": format})
    job = Job.objects.get()
    assert response["Location"] == reverse("job", args=[job.pk])
    do_all_jobs()
    job.refresh_from_db()
    assert (job.state, job.says, job.done, job.total) == ("done", "1 photo of 1 product.", 1, 1)
    download = staffed.get(reverse("job-report", args=[job.pk]))
    data = b"".join(download.streaming_content)
    assert download["Content-Disposition"].endswith(f'.{format}"')
    expected = {"csv": b"R-1,photos/R-1/R-1-0.jpg", "zip": b"PK", "ndjson": b'"http://testserver/files/'}
    assert expected[format] in data


def test_an_unknown_format_is_no_export(staffed):
    assert staffed.post(reverse("catalogue-export"), {"format": "exe"}).status_code == 302
    assert not Job.objects.exists()


def test_what_is_exported_is_imported_as_nothing_new(staffed, sent):
    add_product("R-1", tags=["a,b"], translations={"zh-hans": {"title": "红"}})
    staffed.post(reverse("catalogue-export"), {"format": "zip"})
    do_all_jobs()
    download = staffed.get(reverse("job-report", args=[Job.objects.get().pk]))
    one = sent("back.zip", b"".join(download.streaming_content))
    assert one.check_job.result["unchanged"] == 1
    assert "There is nothing to import" in page_of(staffed, one)
