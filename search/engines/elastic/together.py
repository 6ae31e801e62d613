"""Several questions whose searches travel in the same requests.

A question is a generator: it yields the bodies of searches, is sent their raw answers, may yield more, and returns its
``Answer``. Questions that are asked together take as many requests as the longest of them, not as all of them.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from search.engines.base import Answer
from search.engines.elastic.client import Cluster

Bodies = Sequence[Mapping[str, Any]]
Raw = Sequence[dict[str, Any]]
Question = Generator[Bodies, Raw, Answer]


def answers(cluster: Cluster, index: str, questions: Sequence[Question]) -> list[Answer]:
    """
    :raises EngineUnavailable, IndexMissing, EngineError: for a request, or for any of the searches
    """
    found: dict[int, Answer] = {}
    wanted: dict[int, Bodies] = {}

    def go_on(place: int, raw: Raw | None) -> None:
        try:
            wanted[place] = next(questions[place]) if raw is None else questions[place].send(raw)
        except StopIteration as ended:
            found[place] = ended.value

    for place in range(len(questions)):
        go_on(place, None)
    while wanted:
        asked, wanted = wanted, {}
        raw = cluster.ask(index, [body for bodies in asked.values() for body in bodies])
        for place, bodies in asked.items():
            mine, raw = raw[: len(bodies)], raw[len(bodies) :]
            go_on(place, mine)
    return [found[place] for place in range(len(questions))]
