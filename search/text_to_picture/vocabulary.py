"""Names whose looks are known, for one generation: what typed words are compared with.

Each *entry* is a class of the network, a group of them, or a category, a tag or a word of titles of the catalogue. It
has one or more *names*, each with what the text encoder says of it, and a *look*: the direction in the projected part
``deep`` in which pictures are more of it.
"""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from search.projection import unit
from search.text import analyse

DEEP = "deep"  # the part that says what a picture shows
CLASS, GROUP, CATEGORY, TAG, TITLE = "class", "group", "category", "tag", "title"
OF_THE_NETWORK = (CLASS, GROUP)
# Cosines with a look, in units of the pictures' own spread, from which on a picture is a match. Directions that mean
# nothing have cosines of about 0.06 in 256 dimensions. Measured on photographs of clothing; see docs/words.md.
FLOOR_OF_LABELS, FLOOR_OF_CLASSES = 0.16, 0.25
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_TINY = 1e-9


def is_cjk(text: str) -> bool:
    """Whether it has a Chinese, Japanese or Korean character."""
    return bool(_CJK.search(text))


@dataclass(frozen=True)
class Entry:
    kind: str
    code: str  # of a class or group; id of a category, slug of a tag, the word itself of a title
    images: int = 0  # public images that the look was learnt from; 0 where the network knows it
    is_present: bool = True  # some public picture looks like it

    @property
    def is_label(self) -> bool:
        """Whether the catalogue itself says what it looks like."""
        return self.kind not in OF_THE_NETWORK

    @property
    def floor(self) -> float:
        return FLOOR_OF_LABELS if self.is_label else FLOOR_OF_CLASSES


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """``n`` entries with ``m`` names. ``texts`` are as the text encoder gave them.

    :param direct: texts lie in the space of pictures, so words need no entry to have a look
    """

    encoder: str  # identity of the text encoder
    entries: tuple[Entry, ...]
    looks: np.ndarray  # (n, d) float32, rows of unit length, or zeros where there is no look
    names: tuple[str, ...]
    owners: np.ndarray  # (m,) int64: the entry of each name
    texts: np.ndarray  # (m, t) float32, rows of unit length
    mean: np.ndarray  # (d,) float32: of the projected pictures
    spread: float  # root mean square distance of projected pictures from their mean
    spellings: tuple[str, ...] = ()  # analysed words that are right as they are, beside those of names
    direct: bool = False
    _by_name: dict[str, tuple[int, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_name: dict[str, list[int]] = {}
        for place, name in enumerate(self.names):
            by_name.setdefault(analyse(name), []).append(place)
        object.__setattr__(self, "_by_name", {name: tuple(places) for name, places in by_name.items() if name})

    # --- Texts --------------------------------------------------------------------------------------------

    def called(self, phrase: str) -> tuple[int, ...]:
        """Places of the names that are exactly this analysed phrase."""
        return self._by_name.get(phrase, ())

    def siblings(self, places: Sequence[int]) -> list[int]:
        """Places of all names of the entries that these are names of."""
        return np.flatnonzero(np.isin(self.owners, self.owners[list(places)])).tolist()

    def names_of(self, place: int) -> list[str]:
        """All names of an entry."""
        return [self.names[one] for one in np.flatnonzero(self.owners == place).tolist()]

    def name_of(self, place: int, language: str) -> str:
        """One of an entry's names: in the script of the language where there is one, else its first."""
        own = self.names_of(place)
        wanted = language.startswith(("zh", "ja", "ko"))
        return next((name for name in own if is_cjk(name) == wanted), own[0])

    @cached_property
    def _means(self) -> np.ndarray:
        """``(2, t)``: the mean of names in alphabets, and of those in Chinese, Japanese or Korean.

        Texts of one language are alike for that alone; without its mean they are compared by what they say (J.
        Libovický et al., "On the Language Neutrality of Pre-trained Multilingual Representations", 2020).
        """
        rows = [self.texts[self.in_cjk == wanted] for wanted in (False, True)]
        overall = self.texts.mean(axis=0) if len(self.texts) else np.zeros(self.texts.shape[1], np.float32)
        return np.stack([part.mean(axis=0) if len(part) else overall for part in rows])

    @cached_property
    def centred(self) -> np.ndarray:
        """``(m, t)``: the names' texts without what their language has in common, rows of unit length."""
        return self.centre(self.texts, self.names)

    def centre(self, rows: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        means = self._means[[int(is_cjk(text)) for text in texts]] if len(texts) else rows
        centred = rows - means
        return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), _TINY)

    @cached_property
    def in_cjk(self) -> np.ndarray:
        """``(m,)`` bool: which names are in Chinese, Japanese or Korean."""
        return np.array([is_cjk(name) for name in self.names], dtype=bool)

    @cached_property
    def is_usual(self) -> np.ndarray:
        """``(m,)`` bool: the first name of each entry in either script."""
        owners_and_scripts = np.stack([self.owners, self.in_cjk.astype(np.int64)], axis=1)
        usual = np.zeros(len(self.names), dtype=bool)
        usual[np.unique(owners_and_scripts, axis=0, return_index=True)[1]] = True
        return usual

    def nearest(self, similarities: np.ndarray) -> np.ndarray:
        """``(m,)`` of names → ``(n,)``: for each entry that of its nearest name."""
        best = np.full(len(self.entries), -1.0, dtype=np.float32)
        np.maximum.at(best, self.owners, similarities)
        return best

    # --- Pictures -----------------------------------------------------------------------------------------

    def towards(self, places: Sequence[int], weights: Sequence[float]) -> tuple[np.ndarray, float] | None:
        """The direction of some entries together: ``(d,)`` of unit length, and the cosine from which on pictures match.

        None where they cancel each other out.
        """
        shares = np.asarray(weights, dtype=np.float64) / np.sum(weights)
        direction = unit(shares @ self.looks[list(places)])
        if direction is None:
            return None
        floor = sum(share * self.entries[place].floor for share, place in zip(shares, places, strict=True))
        return direction, self.line(direction, float(floor))

    def line(self, direction: np.ndarray, floor: float) -> float:
        """A floor in units of the pictures' spread, as a cosine. Pictures that were not centred have a mean."""
        return float(direction @ self.mean) + floor * self.spread

    # --- Storage ------------------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        facts: dict[str, Any] = {
            "encoder": self.encoder,
            "entries": [[one.kind, one.code, one.images, one.is_present] for one in self.entries],
            "names": self.names,
            "spellings": self.spellings,
            "direct": self.direct,
        }
        file = io.BytesIO()
        np.savez(
            file,
            allow_pickle=False,
            facts=np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8),
            looks=self.looks.astype(np.float16),
            owners=self.owners.astype(np.int32),
            texts=self.texts.astype(np.float16),
            mean=self.mean.astype(np.float32),
            spread=np.float32(self.spread),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Vocabulary":
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            return cls(
                encoder=facts["encoder"],
                entries=tuple(Entry(*one) for one in facts["entries"]),
                looks=arrays["looks"].astype(np.float32),
                names=tuple(facts["names"]),
                owners=arrays["owners"].astype(np.int64),
                texts=arrays["texts"].astype(np.float32),
                mean=arrays["mean"],
                spread=float(arrays["spread"]),
                spellings=tuple(facts["spellings"]),
                direct=facts["direct"],
            )
