"""Export of the catalogue: the same columns that an import reads, in an order and a notation that stay."""

from gallery.exporting.writing import FORMATS, Exported, export

__all__ = ["FORMATS", "Exported", "export"]
