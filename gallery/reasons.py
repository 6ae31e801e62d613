"""Why the site itself changed something: stored in the language of the source, shown in that of whoever reads it.

What is stored is a plain sentence with its values, so that it can be read in the database and in exports, too.
"""

import re
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop

LENGTH = 100  # of the history's own column
_LABELS = ("status", "what")  # values that are texts of the site themselves
_KNOWN: dict[str, re.Pattern[str]] = {}


def known(text: str) -> str:
    """Let a sentence be shown in the language of its reader. Its values are named, as in ``%(sku)s``."""
    parts = re.split(r"%\((\w+)\)s", text)  # every second one is the name of a value
    pattern = "".join(f"(?P<{part}>.+)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
    _KNOWN[text] = re.compile(pattern, re.DOTALL)
    return text


def stored(text: str | Promise, **values: Any) -> str:
    """The sentence to store; where it is too long, its longest value is cut, so that it is known again.

    :param values: a label is given as it is declared, not translated
    """
    with translation.override(None):
        words = {name: str(value) for name, value in values.items()}
        sentence = str(text) % words if words else str(text)
        if words and len(sentence) > LENGTH:
            longest = max(words, key=lambda name: len(words[name]))
            words[longest] = words[longest][: LENGTH - len(sentence) - 1] + "…"
            sentence = str(text) % words
    return sentence[:LENGTH]


def in_words(reason: str) -> str:
    """A stored reason: the site's own in the reader's language, a person's as it was written."""
    for text, pattern in _KNOWN.items():
        if match := pattern.fullmatch(reason):
            values = {name: gettext(value) if name in _LABELS else value for name, value in match.groupdict().items()}
            return gettext(text) % values if values else gettext(text)
    return reason


TAKEN_DOWN_BEFORE = known(gettext_noop("This very file was taken down before."))
REPLACED = known(gettext_noop("Replaced by a newer photo"))
REOPENED = known(gettext_noop("The newer photo is looked at again"))
RETRACTED = known(gettext_noop("Withdrawn by the contributor"))
ANSWERED = known(gettext_noop("Answered by the contributor"))
SENT_ANOTHER = known(gettext_noop("Another file by the contributor"))
UNDONE = known(gettext_noop("Undone: %(status)s"))
MERGED_INTO = known(gettext_noop("Merged into %(name)s"))
MERGED_HERE = known(gettext_noop("Merged %(name)s into it"))
MOVED = known(gettext_noop("Moved from %(sku)s by a merge"))
BULK_EDIT = known(gettext_noop("Bulk edit %(key)s: %(what)s"))
BULK_UNDO = known(gettext_noop("Undo of bulk edit %(key)s: %(what)s"))
