"""The jobs that apply a bulk edit and undo it: batches, each of them one transaction that a killed worker leaves whole.

An item's state is written with its product, so whoever goes on begins with the items that still wait.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gallery import jobs, reasons
from gallery.bulk.selection import products_of
from gallery.bulk.values import COLUMNS, TAGGING, Left, Reason, Values, put, values_after, values_of
from gallery.models import BulkEdit, BulkEditItem, Category, Product, TaggedProduct, User
from gallery.models.bulk_edits import ITEMS_AT_ONCE
from gallery.models.images import announce_images_of
from gallery.models.products import ProductTag

BATCH = 500

State = BulkEditItem.State
Decide = Callable[[BulkEditItem, Product], Values]


@transaction.atomic
def start(edit: BulkEdit, action: str, parameters: Values, by: User) -> None:
    """Freeze a draft's products, and queue the job that changes them. A second press changes nothing."""
    current = BulkEdit.objects.select_for_update().get(pk=edit.pk)
    if not current.is_draft:
        return
    chosen = products_of(current).values_list("pk", "sku")
    items = [BulkEditItem(edit=current, product_id=key, sku=sku) for key, sku in chosen]
    BulkEditItem.objects.bulk_create(items, batch_size=ITEMS_AT_ONCE)
    current.action, current.parameters = action, parameters
    current.total, current.applied_at = len(items), timezone.now()
    current.job = jobs.start("bulk-edit", by, edit=str(current.pk))
    current.save()


@transaction.atomic
def go_on(edit: BulkEdit, by: User) -> None:
    """Queue a job for what one that was cancelled, or that failed, has left."""
    current = BulkEdit.objects.select_for_update(of=("self",)).select_related("job", "undo_job").get(pk=edit.pk)
    if current.is_draft or current.running or not current.items.filter(state=State.WAITING).exists():
        return
    current.job = jobs.start("bulk-edit", by, edit=str(current.pk))
    current.save(update_fields=["job"])


@transaction.atomic
def start_undo(edit: BulkEdit, by: User) -> None:
    """Queue the job that gives every product back what it had."""
    current = BulkEdit.objects.select_for_update(of=("self",)).select_related("job", "undo_job").get(pk=edit.pk)
    if not current.can_be_undone:
        return
    # What was not reached is not reached any more.
    current.items.filter(state=State.WAITING).update(state=State.SKIPPED, reason=Reason.CANCELLED)
    current.undo_job = jobs.start("bulk-edit-undo", by, edit=str(current.pk))
    current.save(update_fields=["undo_job"])


@jobs.kind("bulk-edit", gettext_lazy("Bulk edit"))
def apply(run: jobs.Run) -> dict[str, Any]:
    edit = _edit(run)
    if edit.action == BulkEdit.Action.CATEGORY:
        _demand_category(edit.parameters["category"])

    def decide(_item: BulkEditItem, product: Product) -> Values:
        return values_after(product, edit.action, edit.parameters)

    work = _Work(edit, run.job.created_by, reasons.BULK_EDIT, State.WAITING, State.CHANGED, State.SKIPPED)
    _work_through(run, work, decide)
    changed, left = _count(edit, State.CHANGED), _count(edit, State.SKIPPED)
    run.step(says=_told(ngettext("%(n)d product is changed.", "%(n)d products are changed.", changed), changed, left))
    return {"changed": changed, "skipped": left, "page": edit.get_absolute_url()}


@jobs.kind("bulk-edit-undo", gettext_lazy("Undo of a bulk edit"))
def undo(run: jobs.Run) -> dict[str, Any]:
    edit = _edit(run)

    def decide(item: BulkEditItem, product: Product) -> Values:
        if values_of(product, edit.action) != item.after:
            raise Left(Reason.CHANGED_SINCE)
        return item.before

    work = _Work(edit, run.job.created_by, reasons.BULK_UNDO, State.CHANGED, State.UNDONE, State.KEPT)
    _work_through(run, work, decide)
    undone, kept = _count(edit, State.UNDONE), _count(edit, State.KEPT)
    run.step(says=_told(ngettext("%(n)d product is as before.", "%(n)d products are as before.", undone), undone, kept))
    return {"undone": undone, "kept": kept, "page": edit.get_absolute_url()}


class _Work:
    """One direction of a bulk edit: which items are to be done, and what they are afterwards."""

    def __init__(self, edit: BulkEdit, by: User | None, reason: str, of: str, done: str, left: str):
        self.edit, self.by, self.of, self.done, self.left = edit, by, of, done, left
        self.reason = reasons.stored(reason, key=edit.pk, what=BulkEdit.Action(edit.action).label)


def _work_through(run: jobs.Run, work: _Work, decide: Decide) -> None:
    to_do = work.edit.items.filter(state=work.of)
    waiting = to_do.count()
    total = waiting + work.edit.items.filter(state__in=[work.done, work.left]).count()
    run.step(total - waiting, total=total, at_once=True)
    while worked := _batch(work, decide):
        waiting -= worked
        run.step(total - waiting, resume={"left": waiting})


@transaction.atomic
def _batch(work: _Work, decide: Decide) -> int:
    """Change the next products.

    :return: how many items it went through
    """
    # Of two workers that hold the same job, as after a long silence, one waits here and finds other items.
    BulkEdit.objects.select_for_update().get(pk=work.edit.pk)
    items = list(work.edit.items.filter(state=work.of).order_by("pk")[:BATCH])
    products = _locked(work.edit.action, [item.product_id for item in items if item.product_id])
    categories = _existing_categories(items) if work.of == State.CHANGED else None
    after: dict[UUID, Values] = {}
    for item in items:
        product = products.get(item.product_id) if item.product_id else None
        try:
            if product is None:
                raise Left(Reason.GONE)
            values = decide(item, product)
            if categories is not None and values.get("category_id") not in categories:
                raise Left(Reason.CATEGORY_GONE)
        except Left as left:
            item.state, item.reason = work.left, left.reason
            continue
        if work.of == State.WAITING:
            item.before, item.after = values_of(product, work.edit.action), values
        item.state = work.done
        after[product.pk] = values
    _write(work, [products[key] for key in after], after)
    _upsert(BulkEditItem, items, ["state", "reason", "before", "after"])
    return len(items)


def _locked(action: str, keys: list[UUID]) -> dict[UUID, Product]:
    products = Product.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    if action in TAGGING:
        products = products.prefetch_related("tags")  # type: ignore[misc]  # taggit's manager
    return {product.pk: product for product in products}


def _write(work: _Work, products: list[Product], after: dict[UUID, Values]) -> None:
    """Products, tags, history, and word to the index: the same as saving each of them, in few statements."""
    if not products:
        return
    action, now = work.edit.action, timezone.now()
    created = [product.created_at for product in products]
    for product in products:
        put(product, after[product.pk])
        product.revision += 1
    if action in TAGGING:
        _retag({key: set(values["tags"]) for key, values in after.items()})
    _upsert(Product, products, [*COLUMNS[action], "revision", "updated_at"])
    for product, created_at in zip(products, created, strict=True):
        product.created_at, product.updated_at = created_at, now  # as they are stored
    Product.history.bulk_history_create(
        products,
        update=True,
        default_user=work.by,
        default_change_reason=work.reason,
        default_date=now,
        batch_size=BATCH,
    )
    announce_images_of(list(after))


def _upsert(model: type[Model], rows: list, columns: list[str]) -> None:
    """Write these columns of rows that exist, and are locked: ``bulk_update`` would be ten times slower on SQLite."""
    fields = [name.removesuffix("_id") for name in columns]
    model._default_manager.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=fields, batch_size=BATCH
    )


def _retag(wanted: dict[UUID, set[str]]) -> None:
    """Give each product exactly these tags; tags that nobody has used yet are made."""
    tags = _tags_named({name for names in wanted.values() for name in names})
    held: dict[UUID, dict[str, int]] = {key: {} for key in wanted}
    rows = TaggedProduct.objects.filter(content_object__in=list(wanted)).values_list(
        "pk", "content_object", "tag__name"
    )
    for row, product, name in rows:
        held[product][name] = row
    TaggedProduct.objects.filter(
        pk__in=[row for key, names in held.items() for name, row in names.items() if name not in wanted[key]]
    ).delete()
    TaggedProduct.objects.bulk_create(
        [
            TaggedProduct(content_object_id=key, tag=tags[name])
            for key, names in wanted.items()
            for name in sorted(names - held[key].keys())
        ],
        batch_size=ITEMS_AT_ONCE,
    )


def _tags_named(names: Iterable[str]) -> dict[str, ProductTag]:
    names = set(names)
    tags = {tag.name: tag for tag in ProductTag.objects.filter(name__in=names)}
    for name in sorted(names - tags.keys()):
        tags[name] = ProductTag.objects.get_or_create(name=name)[0]
    return tags


def _existing_categories(items: list[BulkEditItem]) -> set[int | None]:
    wanted = {item.before.get("category_id") for item in items} - {None}
    return {None, *Category.objects.filter(pk__in=wanted).values_list("pk", flat=True)} if wanted else {None}


def _demand_category(key: int | None) -> None:
    if key is not None and not Category.objects.filter(pk=key).exists():
        raise jobs.JobError(_("The category is deleted. Choose another one in a new bulk edit."))


def _edit(run: jobs.Run) -> BulkEdit:
    edit = BulkEdit.objects.filter(pk=run.parameters["edit"]).first()
    if edit is None:
        raise jobs.JobError(_("This bulk edit is deleted."))
    return edit


def _count(edit: BulkEdit, state: str) -> int:
    return edit.items.filter(state=state).count()


def _told(done: str, number: int, left: int) -> str:
    words = done % {"n": number}
    if left:
        words += " " + ngettext("%(n)d was left as it is.", "%(n)d were left as they are.", left) % {"n": left}
    return words
