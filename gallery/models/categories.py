import re
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


def localized(names: dict, fallback: str) -> str:
    """The text for the active language from ``{"zh-hans": "…"}``, or the fallback."""
    return names.get(get_language() or settings.LANGUAGE_CODE) or fallback


def readable_slug(name: str, max_length: int = 80) -> str:
    """A slug that keeps letters of every script, so that Chinese names have one too."""
    return slugify(name, allow_unicode=True)[:max_length] or "unnamed"


class CategoryTree:
    """All categories at once: they are few, and one query beats walking the tree row by row."""

    def __init__(self, categories: Iterable["Category"]):
        self.by_id = {category.pk: category for category in categories}

    def ancestors(self, category_id: int | None) -> list["Category"]:
        """From the root down to the category itself."""
        path: list[Category] = []
        category = self.by_id.get(category_id) if category_id else None
        while category is not None and category not in path:
            path.insert(0, category)
            category = self.by_id.get(category.parent_id) if category.parent_id else None
        return path

    def descendants(self, category_id: int) -> set[int]:
        """Ids of the category and of everything below it."""
        return {pk for pk in self.by_id if any(step.pk == category_id for step in self.ancestors(pk))}


class CategoryQuerySet(models.QuerySet["Category"]):
    def tree(self) -> CategoryTree:
        return CategoryTree(self.all())

    def at_path(self, path: str, translations: Mapping[str, str] | None = None) -> "Category":
        """The category at ``"Clothing/Dresses"``, made with its ancestors where missing.

        :param translations: language → the same path in it, like ``{"zh-hans": "服装/连衣裙"}``; one of another depth
            names only the last step
        :raises ValueError: for a path without names
        """
        steps = path_steps(path)
        names = [_names_of_step(steps, n, translations or {}) for n in range(len(steps))]
        parent = None
        for step, translated in zip(steps, names, strict=True):
            category, created = self.get_or_create(
                parent=parent, slug=readable_slug(step), defaults={"name": step, "names": translated}
            )
            if not created and category.names | translated != category.names:
                category.names |= translated
                category.save(update_fields=["names"])
            parent = category
        if parent is None:
            raise ValueError("A category path needs at least one name.")
        return parent


def path_steps(path: str) -> list[str]:
    """The names in ``"Clothing/Dresses"``, without empty ones; a slash of a name's own has a backslash before it."""
    steps = (step.replace("\\/", "/").strip() for step in re.split(r"(?<!\\)/", path))
    return [step for step in steps if step]


def joined_path(steps: Iterable[str]) -> str:
    """The path that ``path_steps`` takes apart into these names."""
    return "/".join(step.replace("/", "\\/") for step in steps)


def _names_of_step(steps: list[str], n: int, translations: Mapping[str, str]) -> dict[str, str]:
    names = {}
    for language, path in translations.items():
        translated = path_steps(path)
        if translated and len(translated) == len(steps):
            names[language] = translated[n]
        elif translated and n == len(steps) - 1:
            names[language] = translated[-1]
    return names


class Category(models.Model):
    """A node of the category tree. Documents carry the ids of all ancestors, so a rename re-indexes nothing."""

    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    name = models.CharField(_("name"), max_length=80)
    names = models.JSONField(_("names in other languages"), default=dict, blank=True)
    slug = models.CharField(_("slug"), max_length=80)
    position = models.PositiveIntegerField(_("position"), default=0)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "categories"
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["parent", "slug"], name="category_slug_in_parent"),
            models.UniqueConstraint(fields=["slug"], condition=Q(parent=None), name="category_slug_at_root"),
            models.CheckConstraint(condition=~Q(parent=models.F("id")), name="category_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return localized(self.names, self.name)


class BrandQuerySet(models.QuerySet["Brand"]):
    def named(self, name: str) -> "Brand":
        """The brand of this name, made where missing. Names that differ only in signs get slugs of their own."""
        found = self.filter(name=name).first()
        if found is not None:
            return found
        base = slug = readable_slug(name, 70)
        number = 1
        while self.filter(slug=slug).exists():
            number += 1
            slug = f"{base}-{number}"
        return self.get_or_create(name=name, defaults={"slug": slug})[0]


class Brand(models.Model):
    name = models.CharField(_("name"), max_length=80, unique=True)
    slug = models.CharField(_("slug"), max_length=80, unique=True)

    objects = BrandQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name
