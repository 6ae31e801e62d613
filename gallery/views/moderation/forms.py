"""What a moderator's buttons send."""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery import reasons
from gallery.models import Decision, Image
from gallery.models.images import REASON_LENGTH

SKIP = "skip"
MOST_AT_ONCE = 48  # look-alikes that one decision takes along


@dataclass(frozen=True)
class Asked:
    verb: str
    fault: str
    reason: str
    revisions: dict[UUID, int]  # of the photo and its look-alikes, as they were seen
    reported: int | None  # the newest report that was seen


class DecisionForm(forms.Form):
    """``act`` is a verb, with a fault for a rejection (``reject:poor``); ``also``: look-alikes as ``key:revision``;
    ``reported``: the newest report that the page showed."""

    act = forms.CharField(max_length=40)
    revision = forms.IntegerField(min_value=0)
    reported = forms.IntegerField(min_value=0, required=False)
    reason = forms.CharField(
        label=gettext_lazy("Words to the contributor"),
        max_length=REASON_LENGTH,
        required=False,
        error_messages={"max_length": gettext_lazy("That is too long. Write at most %(limit_value)d characters.")},
    )

    def __init__(self, image: Image, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.image = image

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        verb, _colon, fault = data.get("act", "").partition(":")
        if verb not in (*Decision.Verb.values, SKIP) or (verb == Decision.Verb.REJECT) != (fault in Image.Fault.values):
            raise forms.ValidationError(_("Choose what to do with the photo."))
        if verb == Decision.Verb.CHANGE and not data.get("reason"):
            raise forms.ValidationError(_("Write a sentence that says what to change."))
        return data

    def asked(self) -> Asked:
        data = self.cleaned_data
        verb, _colon, fault = data["act"].partition(":")
        reason = data["reason"] or (reasons.stored(Image.Fault(fault).label) if fault else "")
        revisions = {self.image.pk: data["revision"]}
        if verb in (Decision.Verb.APPROVE, Decision.Verb.REJECT):
            revisions |= self._also()
        return Asked(verb, fault, reason, revisions, data["reported"])

    def _also(self) -> dict[UUID, int]:
        """What is not of the form was not sent by the page, and is left out."""
        found = {}
        for text in cast(QueryDict, self.data).getlist("also")[:MOST_AT_ONCE]:
            key, _colon, revision = text.partition(":")
            try:
                found[UUID(key)] = int(revision)
            except ValueError:
                continue
        return found
