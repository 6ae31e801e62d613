"""What a network believes to see: class names with confidence, the words for them, and what typed words name.

The names are data: ``classes.csv`` has the 1,000 classes of ImageNet-1k in their order, ``groups.csv`` the broader
words that people use for several of them.
"""

from search.recognition.labels import LEAST_KEPT, Label, Stored, as_json, chips, codes_of, kept, labels_of
from search.recognition.lexicon import codes_for_phrases, names_with_a_color
from search.recognition.table import CLASSES, word_for

__all__ = [
    "CLASSES",
    "LEAST_KEPT",
    "Label",
    "Stored",
    "as_json",
    "chips",
    "codes_for_phrases",
    "codes_of",
    "kept",
    "labels_of",
    "names_with_a_color",
    "word_for",
]
