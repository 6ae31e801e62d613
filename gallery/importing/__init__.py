"""Import of a catalogue: a source gives rows, each row becomes a product and a photograph."""

from gallery.importing.importer import Importer, Summary
from gallery.importing.sources import SourceError, open_source

__all__ = ["Importer", "SourceError", "Summary", "open_source"]
