"""From a save to the engine: every change arrives, none twice, none lost."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from gallery import visibility
from gallery.intake import replace_file
from gallery.models import Category, Image, Product, Rendition
from search.engines import get_engine
from search.engines.base import EngineUnavailable, Filters, Request
from search.indexing import loop as indexing
from search.indexing import writing
from search.indexing.cards import CardRenditions
from search.indexing.coverage import coverage, live_progress
from search.indexing.loop import IndexLoop
from search.indexing.reconcile import reconcile
from search.models import Change, Embedding, Generation, PictureVocabulary, Placement
from tests.catalogue import add_photo, add_product, add_products
from tests.pictures import jpeg

pytestmark = pytest.mark.django_db


def run_loop() -> int:
    return IndexLoop().run_until_idle()


def held() -> dict:
    live = Generation.objects.live()
    return dict(get_engine(live.engine).keys_and_versions(live.pk))


def browse(who=visibility.public, **filters) -> list[str]:
    live = Generation.objects.live()
    answer = get_engine(live.engine).search(Request(live.pk, who, Filters(**filters)))
    return sorted(str(hit.key) for hit in answer.hits)


def test_upload_reaches_the_index_with_the_version_that_was_read():
    image = add_product("A-1").images.get()
    run_loop()
    change = Change.objects.get(key=image.pk)
    placement = Placement.objects.get(key=image.pk)
    assert held() == {image.pk: change.version}
    assert (placement.version, placement.behind, placement.attempts) == (change.version, False, 0)


def test_first_generation_is_made_live_and_searchable_at_once():
    add_product("A-1")
    run_loop()
    live = Generation.objects.live()
    assert live.sample_size == 0
    assert live.projection.dimension == 1280 + 64 + 28 + 72 + 1
    assert browse() == [str(Image.objects.get().pk)]


def test_nothing_is_embedded_twice():
    add_product("A-1")
    run_loop()
    row = Embedding.objects.get()
    product = Product.objects.get()
    product.title = "Another title"
    product.save()
    assert run_loop() == 1
    assert Embedding.objects.get().pk == row.pk


@pytest.mark.parametrize(
    "edit",
    [
        lambda product: product.hide(),
        lambda product: product.tags.add("new"),
        lambda product: Product.objects.filter(pk=product.pk).first().save(),
        lambda product: product.images.all().set_status(Image.Status.REJECTED),
        lambda product: replace_file(product.images.get(), io.BytesIO(jpeg("square", "blue")), "other.jpg"),
        lambda product: product.images.all().move_to(Product.objects.create(sku="B-9", title="Other")),
    ],
    ids=["hide", "tags", "save", "reject", "replace file", "move"],
)
def test_every_edit_raises_the_version_and_reaches_the_engine(edit):
    product = add_product("A-1")
    key = product.images.get().pk
    run_loop()
    before = held()[key]
    edit(product)
    assert Placement.objects.get(key=key).behind
    run_loop()
    assert held()[key] > before
    assert held()[key] == Change.objects.get(key=key).version
    assert not Placement.objects.filter(behind=True).exists()


def test_deleting_an_image_deletes_its_document_and_keeps_the_mark():
    product = add_product("A-1", photos=2)
    run_loop()
    gone = product.images.first()
    key = gone.pk
    gone.delete()
    run_loop()
    assert key not in held()
    assert Change.objects.get(key=key).deleted
    assert len(held()) == 1


def test_deleting_a_product_deletes_all_its_documents():
    add_product("A-1", photos=2)
    add_product("A-2")
    run_loop()
    Product.objects.get(sku="A-1").delete()
    run_loop()
    assert list(held()) == [Image.objects.get().pk]


def test_renaming_a_category_changes_no_id_and_moving_it_changes_the_ancestors():
    add_product("A-1", category="Clothing/Dresses")
    run_loop()
    dresses = Category.objects.get(slug="dresses")
    dresses.parent = Category.objects.create(name="Archive", slug="archive")
    dresses.save()
    run_loop()
    assert browse(category=(str(dresses.parent_id),)) == [str(Image.objects.get().pk)]
    assert browse(category=(str(Category.objects.get(slug="clothing").pk),)) == []


class EditDuringWrite:
    """An engine whose write is interrupted by an edit of the product, after the rows were read."""

    def __init__(self, engine, edit):
        self.engine, self.edit = engine, edit

    def write(self, *arguments):
        if self.edit:
            edit, self.edit = self.edit, None
            edit()
        return self.engine.write(*arguments)


def test_an_edit_between_read_and_written_is_not_lost(monkeypatch):
    product = add_product("A-1", title="Before")
    key = product.images.get().pk
    IndexLoop().step()

    def edit():
        late = Product.objects.get(pk=product.pk)
        late.title = "After"
        late.save()

    Product.objects.get(pk=product.pk).save()
    interrupted = EditDuringWrite(get_engine("embedded"), edit)
    monkeypatch.setattr(writing, "get_engine", lambda name: interrupted)
    loop = IndexLoop()
    loop.step()
    placement = Placement.objects.get(key=key)
    assert placement.behind, "the edit came after the rows were read, so the placement must stay behind"
    assert placement.version < Change.objects.get(key=key).version
    loop.step()
    placement.refresh_from_db()
    assert (placement.behind, placement.version) == (False, Change.objects.get(key=key).version)
    assert held()[key] == placement.version


def test_an_image_deleted_while_it_is_read_is_no_failure(monkeypatch):
    image = add_product("A-1").images.get()
    embed = writing.embeddings_for

    def deleted_meanwhile(encoder, images):
        monkeypatch.setattr(writing, "embeddings_for", embed)
        image.original.storage.delete(image.original.name)
        Image.objects.get(pk=image.pk).delete()
        return embed(encoder, images)

    monkeypatch.setattr(writing, "embeddings_for", deleted_meanwhile)
    run_loop()
    placement = Placement.objects.get(key=image.pk)
    assert (placement.behind, placement.attempts, placement.reason) == (False, 0, "")
    assert held() == {}


class DownEngine:
    def write(self, *arguments):
        raise EngineUnavailable("connection refused")


def test_an_engine_that_is_down_costs_no_attempt_and_loses_nothing(monkeypatch):
    IndexLoop().step()
    add_products(3)
    monkeypatch.setattr(writing, "get_engine", lambda name: DownEngine())
    with pytest.raises(EngineUnavailable):
        IndexLoop().run_until_idle()
    assert set(Placement.objects.values_list("attempts", "claimed_until", "behind")) == {(0, None, True)}
    assert "cannot be reached" in Placement.objects.first().reason
    monkeypatch.undo()
    run_loop()
    assert len(held()) == 3
    assert not Placement.objects.filter(behind=True).exists()


def test_an_image_that_cannot_be_read_fails_alone_with_its_reason_and_backs_off():
    good, bad = add_product("A-1"), add_product("A-2", "square")
    broken = bad.images.get()
    broken.original.storage.delete(broken.original.name)
    run_loop()
    placement = Placement.objects.get(key=broken.pk)
    assert "missing from storage" in placement.reason
    assert placement.next_attempt_at > timezone.now()
    assert placement.attempts == 1
    assert list(held()) == [good.images.get().pk]


def test_failed_images_are_counted_by_reason_and_can_be_retried(settings, capsys):
    settings.SEARCH_MAX_ATTEMPTS = 1
    broken = add_product("A-1").images.get()
    broken.original.storage.delete(broken.original.name)
    run_loop()
    account = coverage(Generation.objects.live())
    assert (account.images, account.indexed, account.waiting, account.failed) == (1, 0, 0, 1)
    assert list(account.reasons.values()) == [1]
    assert live_progress().failed == 1
    replace_file(broken, io.BytesIO(jpeg("square", "blue")), "again.jpg")
    call_command("index", "retry")
    run_loop()
    assert coverage(Generation.objects.live()).indexed == 1
    call_command("index", "status", "--json")
    out = capsys.readouterr().out
    assert json.loads(out[out.index("[") :])[0]["indexed"] == 1


def test_an_expired_lease_is_retried_alone():
    add_products(4)
    loop = IndexLoop()
    loop.step()
    Placement.objects.update(behind=True, version=0, claimed_until=timezone.now() - timedelta(seconds=1), attempts=1)
    assert loop.step() == 1
    assert Placement.objects.filter(behind=False).count() == 1
    loop.run_until_idle()
    assert not Placement.objects.filter(behind=True).exists()


def test_a_lease_that_still_runs_is_left_alone():
    add_product("A-1")
    loop = IndexLoop()
    loop.step()
    Placement.objects.update(behind=True, version=0, claimed_until=timezone.now() + timedelta(seconds=60))
    assert loop.step() == 0


def test_reconcile_repairs_what_is_missing_stale_and_orphaned_in_the_engine():
    products = add_products(5)
    run_loop()
    keys = [product.images.get().pk for product in products]
    live = Generation.objects.live()
    documents = live.documents
    documents.filter(key=keys[0]).delete()  # lost by the engine
    documents.filter(key=keys[1]).update(version=1, revision=0)
    Placement.objects.filter(key=keys[1]).update(version=2)
    Change.objects.filter(key=keys[1]).update(version=2)  # the engine holds an older one
    documents.filter(key=keys[2]).update(version=99)  # the engine is ahead, as after a restored database
    Image.objects.filter(pk=keys[3])._raw_delete("default")  # gone behind the application's back
    found = reconcile(live)
    assert (found.missing, found.stale, found.ahead) == ([keys[0]], [keys[1]], [keys[2]])
    assert found.orphans == [keys[3]]
    run_loop()
    assert set(held()) == {keys[0], keys[1], keys[2], keys[4]}
    assert held()[keys[2]] > 99
    assert reconcile(live, repair=False).total == 0
    call_command("index", "reconcile", "--check")


def test_reconcile_check_only_reports():
    add_product("A-1")
    run_loop()
    Generation.objects.live().documents.all().delete()
    with pytest.raises(CommandError, match="differ"):
        call_command("index", "reconcile", "--check")
    assert not Placement.objects.filter(behind=True).exists()


def test_rolled_back_edit_leaves_no_trace():
    from django.db import transaction

    product = add_product("A-1")
    run_loop()
    before = Change.objects.get().version
    with pytest.raises(RuntimeError), transaction.atomic():
        product.hide()
        raise RuntimeError
    assert Change.objects.get().version == before
    assert not Placement.objects.filter(behind=True).exists()


def test_photo_added_to_a_product_is_another_document():
    product = add_product("A-1")
    run_loop()
    add_photo(product, "square", "blue", "second.jpg")
    run_loop()
    assert len(held()) == 2
    assert len(browse()) == 1, "products are collapsed"


def test_photos_of_cards_are_made_while_nothing_else_is_due():
    add_products(10)
    broken = Image.objects.last()
    broken.original.storage.delete(broken.original.name)
    cards = CardRenditions()
    assert [cards.make_some(), cards.make_some(), cards.make_some()] == [8, 1, 0]
    assert Rendition.objects.filter(format="webp", width=320).count() == 9
    assert cards.make_some() == 0
    cards.seen(worked=1)
    assert cards.make_some() == 0, "the broken file is not tried again and again"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("asked", ["gallery_rendition", "search_safetyscore", "search_picturevocabulary"])
def test_a_database_that_restarts_in_spare_time_does_not_end_the_loop(settings, monkeypatch, asked):
    settings.TEXT_ENCODER = "tests.texts.LetterTriples"
    monkeypatch.setattr(indexing, "IDLE_SECONDS", 0)
    add_product("A-1")
    run_loop()
    loop, failed = IndexLoop(), []

    def restarting(execute, sql, *rest):
        if asked in sql and not failed:
            failed.append(sql)
            raise OperationalError("the server closed the connection")
        answer = execute(sql, *rest)
        if sql.startswith('INSERT INTO "search_picturevocabulary"'):  # what is done last
            loop.stopping.set()
        return answer

    with connection.execute_wrapper(restarting):
        loop.run()
    assert len(failed) == PictureVocabulary.objects.count() == 1
