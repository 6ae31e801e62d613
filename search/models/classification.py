"""What was learnt from the catalogue's own categories, and what people said of it."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _


class ClassifierQuerySet(models.QuerySet["Classifier"]):
    def of(self, generation) -> "ClassifierQuerySet":
        """Those of one generation, without their large column."""
        return self.filter(generation=generation).defer("data").order_by("pk")


class Classifier(models.Model):
    """A classifier in the space of one generation. Another generation's vectors mean nothing to it.

    Neighbours have nothing to store but their figures and the temperature that makes their votes honest.
    """

    class Kind(models.TextChoices):
        NEIGHBOURS = "neighbours", _("Neighbours")
        LINEAR = "linear", _("Linear SVM")
        FOREST = "forest", _("Random forest")

    generation = models.ForeignKey("search.Generation", models.CASCADE, related_name="classifiers")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    classes = models.JSONField(help_text="ids of categories, in the order of the scores")
    data = models.BinaryField(default=bytes, help_text="its numbers, as NumPy stores arrays")
    temperature = models.FloatField(default=1.0, help_text="scores are divided by it before they become shares")
    tags = models.JSONField(default=dict, help_text="id of a tag → share of the neighbours from which it is suggested")
    figures = models.JSONField(help_text="search.classification.measuring.Figures, on products that were held out")
    labels = models.JSONField(help_text="id of a category → its products, when this was trained")
    trained_at = models.DateTimeField()

    objects = ClassifierQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["generation", "kind"], name="classifier_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["neighbours", "linear", "forest"]), name="classifier_kind_known"
            ),
            models.CheckConstraint(condition=Q(temperature__gt=0), name="classifier_temperature_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of generation {self.generation_id}"


class SuggestionSetting(models.Model):
    """Which classifier suggests: one row for the whole shop, or none while nobody has chosen."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    kind = models.CharField(max_length=10, choices=Classifier.Kind.choices)
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    chosen_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="suggestion_setting_is_one")]

    @classmethod
    def chosen(cls) -> str:
        """The kind that suggests; neighbours need no training, and suggest until somebody chooses."""
        kind = cls.objects.values_list("kind", flat=True).filter(pk=1).first()
        return kind or Classifier.Kind.NEIGHBOURS

    @classmethod
    def choose(cls, kind: str, by) -> None:
        cls.objects.update_or_create(pk=1, defaults={"kind": kind, "chosen_by": by})


class LabelDoubtQuerySet(models.QuerySet["LabelDoubt"]):
    def open(self) -> "LabelDoubtQuerySet":
        """Those that still stand: the product has the same category, and nobody has confirmed it. The surest first."""
        confirmed = LabelConfirmed.objects.filter(product=OuterRef("product"), category=OuterRef("category"))
        standing = self.filter(product__category=models.F("category")).exclude(Exists(confirmed))
        return standing.order_by("-doubt", "pk")


class LabelDoubt(models.Model):
    """A product whose photos a classifier, trained without them, rather puts into another category."""

    classifier = models.ForeignKey(Classifier, models.CASCADE, related_name="doubts")
    product = models.ForeignKey("gallery.Product", models.CASCADE, related_name="+")
    category = models.ForeignKey("gallery.Category", models.CASCADE, related_name="+", help_text="its own then")
    suggested = models.ForeignKey("gallery.Category", models.CASCADE, related_name="+")
    own = models.FloatField(help_text="probability of its own category, 0 to 1")
    best = models.FloatField(help_text="probability of the suggested one")
    doubt = models.FloatField(help_text="1 where its own category is out of the question, 0 where likely as usual")

    objects = LabelDoubtQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["classifier", "product"], name="label_doubt_once"),
            models.CheckConstraint(condition=~Q(category=models.F("suggested")), name="label_doubt_is_another"),
        ]
        indexes = [models.Index(fields=["classifier", "-doubt"], name="label_doubt_surest")]


class LabelConfirmed(models.Model):
    """Somebody looked and said that a product's category is right: it is not doubted again."""

    product = models.ForeignKey("gallery.Product", models.CASCADE, related_name="+")
    category = models.ForeignKey("gallery.Category", models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["product", "category"], name="label_confirmed_once")]
