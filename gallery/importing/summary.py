"""What an import did."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


@dataclass(frozen=True)
class RowFailure:
    """A row that was not imported, and why."""

    line: int
    name: str
    reason: str

    def __str__(self) -> str:
        return _("line %(line)d, %(name)s: %(reason)s") % {"line": self.line, "name": self.name, "reason": self.reason}


@dataclass
class Summary:
    """What an import did, in rows."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failures: list[RowFailure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

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
