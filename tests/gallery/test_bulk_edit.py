"""Many products at once: chosen, previewed, changed by a job in batches, and given back what they had."""

from decimal import Decimal

import pytest
from django.test import Client

from gallery import jobs
from gallery.bulk import working
from gallery.bulk.values import rounded
from gallery.models import BulkEdit, BulkEditItem, Category, Job, Product
from tests.catalogue import add_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def shop() -> None:
    add_product("A", price="10.00", tags=["new"], category="Clothing")
    add_product("B", price="19.99", tags=["new", "gift"], category="Kitchen", published=False)
    add_product("C", price=None, category="")
    add_product("D", price="5.00", currency="USD")


def draft(client: Client, *skus: str, query: str = "") -> BulkEdit:
    """The draft of these products, or of all that match."""
    keys = [str(key) for key in Product.objects.filter(sku__in=skus).values_list("pk", flat=True)]
    chosen = {"product": keys} if skus else {"all": "1"}
    response = client.post("/bulk-edits/", chosen | {"query": query})
    assert response.status_code == 302
    return BulkEdit.objects.get(pk=response.url.split("/")[-2])


def begin(client: Client, edit: BulkEdit, action: str, **needs) -> BulkEdit:
    shown = client.get(edit.get_absolute_url(), {"action": action} | needs).context["preview"]
    assert shown is not None
    data = {"action": action, "count": shown.total} | needs
    response = client.post(f"{edit.get_absolute_url()}apply/", data)
    assert (response.status_code, response.url) == (302, edit.get_absolute_url())
    edit.refresh_from_db()
    return edit


def apply(client: Client, edit: BulkEdit, action: str, **needs) -> BulkEdit:
    jobs.run(str(begin(client, edit, action, **needs).job_id))
    edit.refresh_from_db()
    assert edit.job.state == "done", edit.job.says
    return edit


def undo(client: Client, edit: BulkEdit) -> Job:
    client.post(f"{edit.get_absolute_url()}undo/")
    edit.refresh_from_db()
    jobs.run(str(edit.undo_job_id))
    edit.undo_job.refresh_from_db()
    assert edit.undo_job.state == "done", edit.undo_job.says
    return edit.undo_job


def prices() -> dict[str, str]:
    return {product.sku: str(product.price) for product in Product.objects.all()}


def tags_of(sku: str) -> list[str]:
    return sorted(Product.objects.get(sku=sku).tags.names())


# --- Choosing and looking -----------------------------------------------------------------------------


def test_a_preview_says_what_changes_and_what_does_not(client, shop):
    edit = draft(client)
    page = client.get(edit.get_absolute_url(), {"action": "price", "how": "amount", "value": "-10"})
    shown = page.context["preview"]
    assert (shown.changing, shown.total) == (2, 4)
    assert [(row["sku"], row["before"], row["after"]) for row in shown.rows] == [
        ("A", "10.00 EUR", "0.00 EUR"),
        ("B", "19.99 EUR", "9.99 EUR"),
    ]
    assert {one.label: one.skus for one in shown.skipped} == {
        "It has no price.": ["C"],
        "Its price is in another currency.": ["D"],
    }
    assert "Change 2 products" in page.content.decode()
    assert prices()["A"] == "10.00", "nothing has changed yet"


def test_the_field_of_the_number_says_what_it_takes(client, shop):
    address = draft(client).get_absolute_url()
    assert "Percent, amount or price" in client.get(address, {"action": "price"}).content.decode()
    chinese = client.get(address, {"action": "price"}, headers={"accept-language": "zh-hans"}).content.decode()
    assert "百分比、金额或价格" in chinese


def test_the_first_twenty_are_shown(client):
    for n in range(25):
        add_product(f"P{n:02}", photos=0)
    shown = client.get(draft(client).get_absolute_url(), {"action": "hide"}).context["preview"]
    assert (shown.changing, len(shown.rows)) == (25, 20)


def test_all_that_match_the_filters(client, shop):
    edit = draft(client, query="tag=new&published=yes&page=2")
    shown = client.get(edit.get_absolute_url(), {"action": "hide"}).context["preview"]
    assert [row["sku"] for row in shown.rows] == ["A"]


def test_nothing_chosen_is_said(client, shop):
    response = client.post("/bulk-edits/", {"query": "q=a"}, follow=True)
    assert "Choose at least one product." in response.content.decode()
    assert client.post("/bulk-edits/", {"product": ["x"]}).url == "/products/"
    assert not BulkEdit.objects.exists()


@pytest.mark.parametrize(
    ("needs", "field"),
    [
        ({"action": ""}, "action"),
        ({"action": "delete"}, "action"),
        ({"action": "price"}, "value"),
        ({"action": "price", "value": "much"}, "value"),
        ({"action": "price", "how": "set", "value": "-1"}, "value"),
        ({"action": "price", "how": "percent", "value": "-101"}, "value"),
        ({"action": "add_tags", "tags": " , "}, "tags"),
        ({"action": "availability"}, "availability"),
        ({"action": "category", "category": "9999"}, "category"),
    ],
)
def test_what_is_missing_is_said_and_nothing_begins(client, shop, needs, field):
    edit = draft(client, "A")
    assert field in client.get(edit.get_absolute_url(), needs).context["form"].errors
    response = client.post(f"{edit.get_absolute_url()}apply/", needs | {"count": 1})
    assert response.status_code == 422
    assert not Job.objects.exists()


def test_fields_of_other_actions_do_not_matter(client, shop):
    page = client.get(draft(client, "A").get_absolute_url(), {"action": "hide", "value": "much", "category": "9999"})
    assert page.context["preview"].changing == 1


def test_other_products_than_those_looked_at_are_not_changed(client, shop):
    edit = draft(client, query="q=circle")
    add_product("LATE", photos=0)
    response = client.post(f"{edit.get_absolute_url()}apply/", {"action": "hide", "count": 4})
    assert response.status_code == 409
    assert "Other products match now" in response.content.decode()
    assert not Job.objects.exists()


def test_as_many_products_that_are_other_ones_are_not_changed_either(client, shop):
    edit = draft(client, query="tag=new")
    seen = client.get(edit.get_absolute_url(), {"action": "hide"}).context["preview"].seen
    Product.objects.get(sku="B").tags.remove("new")
    Product.objects.get(sku="C").tags.add("new")
    data = {"action": "hide", "count": 2, "seen": seen}
    assert client.post(f"{edit.get_absolute_url()}apply/", data).status_code == 409
    assert not Job.objects.exists()
    page = client.get(edit.get_absolute_url(), {"action": "hide"})
    assert f'name="seen" value="{page.context["preview"].seen}"' in page.content.decode()
    data["seen"] = page.context["preview"].seen
    assert client.post(f"{edit.get_absolute_url()}apply/", data).status_code == 302


# --- Doing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "needs", "check"),
    [
        ("price", {"how": "set", "value": "7"}, lambda a: (str(a.price), a.currency) == ("7.00", "EUR")),
        ("price", {"how": "percent", "value": "-12.5"}, lambda a: str(a.price) == "8.75"),
        ("price", {"how": "amount", "value": "2.30", "rounding": "99"}, lambda a: str(a.price) == "11.99"),
        ("category", {"category": "Kitchen"}, lambda a: a.category.name == "Kitchen"),
        ("category", {"category": ""}, lambda a: a.category is None),
        ("add_tags", {"tags": "sale, new"}, lambda a: sorted(a.tags.names()) == ["new", "sale"]),
        ("remove_tags", {"tags": "new"}, lambda a: not a.tags.exists()),
        ("availability", {"availability": "preorder"}, lambda a: a.availability == "preorder"),
        ("hide", {}, lambda a: not a.published),
    ],
)
def test_every_action_there_and_back(client, staff, shop, announced, action, needs, check):
    if needs.get("category"):
        needs = {"category": Category.objects.get(name=needs["category"]).pk}
    product = Product.objects.get(sku="A")
    before = {
        name: getattr(product, name) for name in ("price", "currency", "category_id", "availability", "published")
    }
    others = Product.objects.exclude(sku="A").order_by("sku")
    rest = list(others.values())
    announced.take()
    edit = apply(client, draft(client, "A"), action, **needs)
    product = Product.objects.get(sku="A")
    assert check(product)
    assert list(others.values()) == rest
    assert announced.take() == set(product.images.values_list("pk", flat=True))
    change = product.history.first()
    assert change.history_user == staff
    assert str(edit.pk) in change.history_change_reason
    undo(client, edit)
    product = Product.objects.get(sku="A")
    assert {name: getattr(product, name) for name in before} == before
    assert tags_of("A") == ["new"]
    assert announced.take() == set(product.images.values_list("pk", flat=True))
    assert "Undo" in product.history.first().history_change_reason


def test_revisions_rise_so_that_open_forms_notice(client, shop):
    before = Product.objects.get(sku="A").revision
    apply(client, draft(client, "A"), "add_tags", tags="sale")
    assert Product.objects.get(sku="A").revision == before + 1


def test_what_changed_since_is_not_undone_and_is_reported(client, shop):
    edit = apply(client, draft(client), "price", how="percent", value="10")
    assert prices() == {"A": "11.00", "B": "21.99", "C": "None", "D": "5.50"}
    changed = Product.objects.get(sku="B")
    changed.price = Decimal("1.00")
    changed.save()
    retitled = Product.objects.get(sku="A")
    retitled.title = "Another"
    retitled.save()
    Product.objects.get(sku="D").delete()
    job = undo(client, edit)
    assert job.result["undone"] == 1 and job.result["kept"] == 2
    assert prices() == {"A": "10.00", "B": "1.00", "C": "None"}
    assert Product.objects.get(sku="A").title == "Another", "an edit of something else stays"
    page = client.get(edit.get_absolute_url())
    said = {one.label: one.skus for one in page.context["left"]}
    assert said == {
        "It has no price.": ["C"],
        "Somebody changed it afterwards.": ["B"],
        "The product is deleted.": ["D"],
    }
    assert not page.context["can_be_undone"]


def test_tags_that_changed_since_are_kept(client, shop):
    edit = apply(client, draft(client, "A", "B"), "remove_tags", tags="new")
    Product.objects.get(sku="A").tags.add("mine")
    undo(client, edit)
    assert (tags_of("A"), tags_of("B")) == (["mine"], ["gift", "new"])


def test_two_edits_of_different_fields_are_undone_on_their_own(client, shop):
    first = apply(client, draft(client, "A"), "price", how="set", value="99")
    apply(client, draft(client, "A"), "hide")
    undo(client, first)
    product = Product.objects.get(sku="A")
    assert (str(product.price), product.published) == ("10.00", False)


def test_a_category_that_is_deleted_meanwhile(client, shop):
    attic = Category.objects.at_path("Attic")
    edit = begin(client, draft(client, "A"), "category", category=attic.pk)
    attic.delete()
    jobs.run(str(edit.job_id))
    edit.job.refresh_from_db()
    assert (edit.job.state, Product.objects.get(sku="A").category.name) == ("failed", "Clothing")
    moved = apply(client, draft(client, "A"), "category", category=Category.objects.get(name="Kitchen").pk)
    Category.objects.get(name="Clothing").delete()
    assert undo(client, moved).result["kept"] == 1
    assert Product.objects.get(sku="A").category.name == "Kitchen"


def test_a_second_press_and_a_second_delivery_change_nothing_twice(client, shop):
    edit = begin(client, draft(client, "A"), "price", how="percent", value="10")
    client.post(f"{edit.get_absolute_url()}apply/", {"action": "price", "how": "percent", "value": "10", "count": 1})
    assert Job.objects.count() == 1
    for _delivery in range(2):
        jobs.run(str(edit.job_id))
    assert prices()["A"] == "11.00"


def many(count: int) -> None:
    category = Category.objects.at_path("Many")
    Product.objects.bulk_create(
        [
            Product(sku=f"M{n:05}", title=f"Thing {n}", price=Decimal(n % 900) + 1, currency="EUR", category=category)
            for n in range(count)
        ]
    )


def test_a_killed_job_goes_on_where_it_was(client, monkeypatch):
    """The second batch fails as its worker is killed: the first stays, and nothing is done twice."""
    many(1_200)
    edit = begin(client, draft(client), "price", how="amount", value="1", rounding="cent")
    write, calls = working._write, []

    def killed(*args):
        calls.append(1)
        write(*args)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(working, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(str(edit.job_id))
    states = edit.items.values_list("state", flat=True)
    assert (states.filter(state="changed").count(), states.filter(state="waiting").count()) == (500, 700)
    assert Product.history.filter(history_type="~").count() == 500
    jobs.run(str(edit.job_id))
    edit.job.refresh_from_db()
    assert (edit.job.state, edit.job.done, edit.job.result["changed"]) == ("done", 1_200, 1_200)
    assert sum(Product.objects.values_list("price", flat=True)) == sum(n % 900 + 2 for n in range(1_200))
    assert Product.history.filter(history_type="~").count() == 1_200


def test_what_a_cancelled_job_left_is_done_or_undone(client, monkeypatch):
    monkeypatch.setattr(working, "BATCH", 10)
    many(30)

    def cancelled() -> BulkEdit:
        edit = begin(client, draft(client), "price", how="amount", value="1")
        step = jobs.Run.step
        with monkeypatch.context() as patch:

            def stop(run, *args, **kwargs):
                run.job.request_cancel()
                step(run, *args, **kwargs | {"at_once": True})

            patch.setattr(jobs.Run, "step", lambda run, done=None, **more: (stop if done else step)(run, done, **more))
            jobs.run(str(edit.job_id))
        edit.refresh_from_db()
        assert edit.job.state == "cancelled"
        assert edit.items.filter(state="changed").count() == 10
        return edit

    edit = cancelled()
    page = client.get(edit.get_absolute_url())
    assert "20 products were not reached." in page.content.decode() and page.context["can_go_on"]
    client.post(f"{edit.get_absolute_url()}apply/")
    edit.refresh_from_db()
    jobs.run(str(edit.job_id))
    assert edit.items.filter(state="changed").count() == 30
    edit = cancelled()
    undo(client, edit)
    assert list(edit.items.order_by().values_list("state", flat=True).distinct().order_by("state")) == [
        "skipped",
        "undone",
    ]
    assert not client.get(edit.get_absolute_url()).context["can_go_on"]


def test_pages_of_what_was_done(client, shop, shopper):
    edit = begin(client, draft(client, "A", "C"), "price", how="percent", value="10")
    page = client.get(edit.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 1s"' in page and "Undo" not in page
    jobs.run(str(edit.job_id))
    page = client.get(edit.get_absolute_url()).content.decode()
    assert "Undo for 1 product" in page and "It has no price." in page and "every 1s" not in page
    assert "Change the price: +10 %" in client.get("/bulk-edits/").content.decode()
    assert edit.get_absolute_url() in client.get(f"/jobs/{edit.job_id}/").content.decode()
    other = Client()
    other.force_login(shopper)
    for verb in ("", "apply/", "undo/"):
        assert other.post(f"{edit.get_absolute_url()}{verb}").status_code in (403, 405)
    assert other.get(edit.get_absolute_url()).status_code == 403


def test_drafts_go_after_a_day_and_what_was_applied_stays(client, shop):
    kept = apply(client, draft(client, "A"), "hide")
    forgotten = draft(client, "A")
    BulkEdit.objects.update(created_at="2020-01-01T00:00Z")
    draft(client, "B")
    assert BulkEdit.objects.filter(pk=kept.pk).exists()
    assert not BulkEdit.objects.filter(pk=forgotten.pk).exists()


def test_a_batch_is_a_few_dozen_statements_not_some_per_product(client, monkeypatch, django_assert_max_num_queries):
    many(400)
    edit = begin(client, draft(client), "price", how="percent", value="3")
    assert BulkEditItem.objects.count() == 400
    with django_assert_max_num_queries(60):
        jobs.run(str(edit.job_id))


# --- Rounding -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "rounding", "expected"),
    [
        ("10.005", "cent", "10.01"), ("10.04", "tenth", "10.00"), ("10.05", "tenth", "10.10"),
        ("10.25", "half", "10.50"), ("10.49", "whole", "10.00"), ("10.50", "whole", "11.00"),
        ("12.40", "99", "11.99"), ("12.60", "99", "12.99"), ("0.30", "99", "0.99"), ("0.00", "99", "0.00"),
        ("7.44", "95", "6.95"), ("-3.00", "whole", "-3.00"),
    ],
)  # fmt: skip
def test_rounding(price, rounding, expected):
    assert str(rounded(Decimal(price), rounding, "EUR")) == expected


def test_a_currency_without_cents_is_rounded_to_whole_amounts():
    assert str(rounded(Decimal("99.5"), "cent", "JPY")) == "100.00"
