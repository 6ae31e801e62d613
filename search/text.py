"""One analyser for words, the same on every engine: what is indexed and what is asked go through ``analyse``.

Tokens are words in lower case without accents; Chinese, Japanese and Korean characters stand alone, and a run of them
is asked as a phrase. English plurals are brought to the singular by Harman's S-stemmer (D. Harman, "How effective is
suffixing?", JASIS 42(1), 1991): it knows three endings and so does no harm to names.
"""

import re
import unicodedata
from collections.abc import Iterable

MAX_WORDS = 12
_TOKEN = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0002ffff]|[^\W_]+", re.UNICODE
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0002ffff]")


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def singular(word: str) -> str:
    """Harman's S-stemmer: ``ies → y``, ``es → e``, ``s →`` nothing, each with its exceptions."""
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        # "dresses", "boxes" and "watches" lose both letters; "shoes" and "shirtes" only the last.
        return word[:-2] if word.endswith(("sses", "xes", "ches", "shes", "zzes")) else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word


def _split_cjk(text: str) -> Iterable[str]:
    for match in _TOKEN.finditer(text):
        token = match.group()
        # A run of letters may hold CJK characters in its middle ("T恤"): they stand alone there too.
        yield from filter(None, _CJK.sub(lambda found: f" {found.group()} ", token).split())


def analyse(text: str) -> str:
    """The tokens of a text, separated by single spaces."""
    return " ".join(singular(token) for token in _split_cjk(_fold(text)))


def query_phrases(text: str) -> list[str]:
    """What a person typed, as phrases that all must match: one for each stretch between spaces."""
    phrases = (analyse(stretch) for stretch in text.split())
    return list(dict.fromkeys(filter(None, phrases)))[:MAX_WORDS]
