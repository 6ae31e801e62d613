"""What staff choose for a new generation."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from search.encoders import encoder_names
from search.engines.index_settings import (
    BOUNDS,
    DEFAULT_SETTINGS,
    GRAPHS,
    SCANS,
    SCRIPT,
    BadIndexSettings,
    IndexSettings,
)


def _bounded(name: str) -> dict[str, Any]:
    least, most = BOUNDS[name]
    return {"label": name, "min_value": least, "max_value": most}


def _encoders() -> list[tuple[str, str]]:
    return [(name, name) for name in encoder_names()]


class BuildForm(forms.Form):
    """``index_settings`` holds the chosen settings once the form is valid."""

    encoder = forms.ChoiceField(label=_("Encoder"), choices=_encoders, help_text=_("As SEARCH_ENCODERS names them."))
    type = forms.ChoiceField(
        label=_("Index type"),
        choices=[
            (_("Graph: quick"), [(name, name) for name in GRAPHS]),
            (_("Scan: compares every photo"), [(name, name) for name in (*SCANS, SCRIPT)]),
        ],
        help_text=_("How Elasticsearch lays the vectors out. The embedded engine always compares every photo."),
    )
    m = forms.IntegerField(**_bounded("m"), help_text=_("Neighbours of a photo in the graph."))
    ef_construction = forms.IntegerField(
        **_bounded("ef_construction"),
        help_text=_("Candidates for them while the graph is built: more is slower and more exact."),
    )
    candidates = forms.IntegerField(
        **_bounded("candidates"),
        required=False,
        help_text=_("At least so many photos are looked at for a search. Empty: as many as the results need."),
    )
    oversample = forms.FloatField(
        **_bounded("oversample"),
        help_text=_("With int8, int4 and bbq: so many times the results are scored again exactly."),
    )
    promote = forms.BooleanField(
        label=_("Promote it by itself when it is full"),
        required=False,
        help_text=_("Otherwise it waits until somebody has compared and promoted it."),
    )

    index_settings: IndexSettings

    @classmethod
    def starting(cls) -> "BuildForm":
        """The form with what the settings say."""
        try:
            usual = IndexSettings.parse(settings.SEARCH_INDEX_OPTIONS)
        except BadIndexSettings:  # a system check tells of it; a build with other settings is still possible
            usual = DEFAULT_SETTINGS
        return cls(initial={"encoder": settings.SEARCH_ENCODER} | usual.as_json())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.index_settings = IndexSettings.parse({name: cleaned[name] for name in ("type", *BOUNDS)})
            except BadIndexSettings as error:
                raise ValidationError(str(error)) from error
        return cleaned

    @property
    def choices(self) -> list[forms.BoundField]:
        """What everybody decides."""
        return [self["encoder"], self["type"], self["promote"]]

    @property
    def numbers(self) -> list[forms.BoundField]:
        """What the usual values serve well."""
        return [self[name] for name in BOUNDS]

    @property
    def has_wrong_number(self) -> bool:
        return any(name in self.errors for name in BOUNDS)
