"""What an import did, or would do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


@dataclass(frozen=True)
class RowFailure:
    """A row that was not imported, and why."""

    line: int
    name: str
    reason: str
    number: int = 0  # of the row in the source, from 0
    values: Mapping[str, str | None] = field(default_factory=dict)  # as they were read

    def __str__(self) -> str:
        return _("line %(line)d, %(name)s: %(reason)s") % {"line": self.line, "name": self.name, "reason": self.reason}


class Difference(NamedTuple):
    """One cell that a row would change."""

    column: str
    before: str
    after: str


class RowPreview(NamedTuple):
    """What a row would do."""

    line: int
    sku: str
    file: str
    outcome: str  # "created" or "changed"
    differences: list[Difference]


@dataclass
class Summary:
    """What an import did, in rows."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failures: list[RowFailure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    previews: list[RowPreview] = field(default_factory=list)  # the first rows of a dry run that change something
    links: int = 0  # pictures that a dry run has left to be fetched

    @property
    def rows(self) -> int:
        return self.created + self.changed + self.unchanged + len(self.failures)

    def __str__(self) -> str:
        rows = ngettext("%(rows)d row", "%(rows)d rows", self.rows) % {"rows": self.rows}
        return _("%(rows)s: %(created)d created, %(changed)d changed, %(unchanged)d unchanged, %(failed)d failed") % {
            "rows": rows,
            "created": self.created,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "failed": len(self.failures),
        }
