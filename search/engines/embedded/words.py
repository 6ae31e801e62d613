"""Full text by the database: FTS5 of SQLite, tsvector of PostgreSQL.

Texts are analysed before they come here (``search.text.analyse``); the database stores tokens, finds phrases and
scores them. The tables are made by the migration ``0002_document_words``.
"""

import abc
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import numpy as np
from django.db import connection

PARTS = ("title", "tags", "description")
LONGEST_TEXT = 60_000  # characters of one part; PostgreSQL takes 1 MB for a whole document
LONGEST_TOKEN = 255
FOUND = np.dtype([("question", np.int32), ("pk", np.int64), ("score", np.float64)])
_TOKEN = re.compile(r"[^\W_]+")
_BATCH = 500  # rows in one statement; SQLite bounds the number of parameters

Phrase = list[str]


def tokens(text: str) -> Phrase:
    """The tokens of an analysed text. What is no letter or digit is dropped, so nothing here can be an operator."""
    return [token[:LONGEST_TOKEN] for token in _TOKEN.findall(text[:LONGEST_TEXT])]


class TextIndex(abc.ABC):
    """The words of documents, by the primary keys of ``EmbeddedDocument``. Calls run in the caller's transaction."""

    @abc.abstractmethod
    def replace(self, generation: int, texts: Mapping[int, Mapping[str, str]]) -> None:
        """Set the texts (part → analysed text) of these documents."""

    @abc.abstractmethod
    def remove(self, pks: Iterable[int]) -> None:
        """Forget these documents; ones that are not there do not matter."""

    @abc.abstractmethod
    def clear(self, generation: int) -> None:
        """Forget a whole generation."""

    def find(self, generation: int, questions: Sequence[Sequence[Phrase]], scored: bool) -> np.ndarray:
        """All questions in one statement.

        :param questions: for each the phrases that must all be in a document; none of them empty
        :param scored: whether scores are wanted; they cost more than finding
        :return: ``(n,)`` records of ``FOUND``: the question's place, a document, and a score above 0, or 0
        """
        if not questions:
            return np.empty(0, FOUND)
        selects: list[str] = []
        parameters: list[str | int] = []
        for place, phrases in enumerate(questions):
            statement, values = self._select(generation, phrases, scored)
            selects.append(f"SELECT {place}, {statement}")
            parameters += values
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(selects), parameters)
            return np.fromiter(cursor.fetchall(), FOUND)

    @abc.abstractmethod
    def _select(self, generation: int, phrases: Sequence[Phrase], scored: bool) -> tuple[str, list[str | int]]:
        """What follows ``SELECT`` to give document and score, and its parameters."""


class SqliteText(TextIndex):
    """FTS5 with BM25. The generation is one more column of the index, so that a question stays inside it."""

    def replace(self, generation: int, texts: Mapping[int, Mapping[str, str]]) -> None:
        self.remove(texts)
        rows: list[tuple[int | str, ...]] = [
            (pk, str(generation), *(" ".join(tokens(text.get(part, ""))) for part in PARTS))
            for pk, text in texts.items()
        ]
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO search_documentwords (rowid, generation, title, tags, description) "
                "VALUES (%s, %s, %s, %s, %s)",
                rows,
            )

    def remove(self, pks: Iterable[int]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany("DELETE FROM search_documentwords WHERE rowid = %s", [(pk,) for pk in pks])

    def clear(self, generation: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM search_documentwords WHERE rowid IN "
                "(SELECT rowid FROM search_documentwords WHERE search_documentwords MATCH %s)",
                [f'generation : "{generation}"'],
            )

    def _select(self, generation: int, phrases: Sequence[Phrase], scored: bool) -> tuple[str, list[str | int]]:
        quoted = " AND ".join(f'"{" ".join(phrase)}"' for phrase in phrases)
        score = "-bm25(search_documentwords, 0.0, 4.0, 2.0, 1.0)" if scored else "0.0"
        return (
            f"rowid, {score} FROM search_documentwords WHERE search_documentwords MATCH %s",
            [f'generation : "{generation}" AND {{{" ".join(PARTS)}}} : ({quoted})'],
        )


class PostgresText(TextIndex):
    """tsvector and ts_rank_cd. Vectors and queries are written out token by token: PostgreSQL's own parser would
    take some of them for numbers, hosts or paths, and split them otherwise than the analyser did."""

    WEIGHTS: ClassVar = dict(zip(PARTS, "ABC", strict=True))
    GAP = 10  # empty places between parts, so that no phrase runs from one into the next

    def replace(self, generation: int, texts: Mapping[int, Mapping[str, str]]) -> None:
        rows = [(pk, generation, self.vector(text)) for pk, text in texts.items()]
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO search_documentwords (document_id, generation_id, text) VALUES (%s, %s, %s::tsvector) "
                "ON CONFLICT (document_id) DO UPDATE SET text = EXCLUDED.text",
                rows,
            )

    def remove(self, pks: Iterable[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM search_documentwords WHERE document_id = ANY(%s)", [list(pks)])

    def clear(self, generation: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM search_documentwords WHERE generation_id = %s", [generation])

    def vector(self, texts: Mapping[str, str]) -> str:
        """The literal of a tsvector: ``'red':1A 'apple':2A``."""
        places, place = [], 0
        for part in PARTS:
            for token in tokens(texts.get(part, "")):
                place += 1
                places.append(f"'{token}':{place}{self.WEIGHTS[part]}")
            place += self.GAP
        return " ".join(places)

    def _select(self, generation: int, phrases: Sequence[Phrase], scored: bool) -> tuple[str, list[str | int]]:
        query = " & ".join("(" + " <-> ".join(f"'{token}'" for token in phrase) + ")" for phrase in phrases)
        score = "ts_rank_cd('{0.1, 0.25, 0.5, 1.0}', text, query)" if scored else "0.0"
        return (
            f"document_id, {score} FROM search_documentwords, CAST(%s AS tsquery) AS query "
            "WHERE generation_id = %s AND text @@ query",
            [query, generation],
        )


_TEXT_INDICES: dict[str, TextIndex] = {"sqlite": SqliteText(), "postgresql": PostgresText()}


def text_index() -> TextIndex:
    """The text index of the database that this process uses."""
    return _TEXT_INDICES[connection.vendor]
