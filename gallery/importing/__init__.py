"""Import of a catalogue: a source gives rows, each row becomes a product and a photograph."""

from gallery.importing.errors import SourceError
from gallery.importing.importer import Importer
from gallery.importing.sources import Source, open_source
from gallery.importing.summary import RowFailure, Summary

__all__ = ["Importer", "RowFailure", "Source", "SourceError", "Summary", "open_source"]
