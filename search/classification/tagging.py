"""From which share of the neighbours' votes on a tag is suggested: rather none than a wrong one."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from search.classification.neighbours import weights_of
from search.classification.samples import Samples, tags_of

LEAST_PRECISION = 0.7  # lower bound, at 95 %, of how many suggestions of a tag are right on held-out products
LEAST_PRODUCTS = 7  # with a tag, to learn of it; so many right ones in a row reach that bound
UNMEASURED_SHARE = 0.9  # before anything was measured
_Z = 1.645
_MOST_TAGS = 500


def thresholds(samples: Samples, neighbours: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Id of a tag → the least share from which on suggesting it was right often enough; tags that never are are absent.

    :param neighbours: of every photo, in other folds: their rows, and how similar they are
    """
    tags = tags_of(samples.products)
    counts = Counter(tag for product in samples.products for tag in tags[product])
    common = [tag for tag, products in counts.most_common(_MOST_TAGS) if products >= LEAST_PRODUCTS]
    if not common:
        return {}
    place = {tag: n for n, tag in enumerate(common)}
    has = np.zeros((len(samples.products), len(common)), dtype=bool)
    for n, product in enumerate(samples.products):
        has[n, [place[tag] for tag in tags[product] if tag in place]] = True
    sums = np.zeros(has.shape)
    for group, (rows, similar) in zip(samples.groups, neighbours, strict=True):
        if len(rows):
            sums[group] += weights_of(similar) @ has[samples.groups[rows]]
    shares = sums / np.bincount(samples.groups)[:, None]
    found = {str(tag): _threshold(shares[:, n], has[:, n]) for tag, n in place.items()}
    return {tag: share for tag, share in found.items() if share is not None}


def _threshold(shares: np.ndarray, right: np.ndarray) -> float | None:
    """The least share at and above which the lower bound of the precision (Wilson, 1927) is high enough."""
    order = np.argsort(-shares, kind="stable")
    ranked, said = shares[order], np.arange(1, len(order) + 1)
    precision = np.cumsum(right[order]) / said
    spread = _Z * np.sqrt(precision * (1 - precision) / said + _Z**2 / (4 * said**2))
    bound = (precision + _Z**2 / (2 * said) - spread) / (1 + _Z**2 / said)
    last_of_its_share = np.append(ranked[:-1] > ranked[1:], True)
    enough = np.flatnonzero((bound >= LEAST_PRECISION) & last_of_its_share & (ranked > 0))
    return float(ranked[enough[-1]]) if len(enough) else None


def votes(similarities: np.ndarray, tags: Sequence[set[int]]) -> dict[int, float]:
    """Id of a tag → its share of the neighbours' votes.

    :param similarities: ``(k,)``, the best first
    :param tags: of each neighbour
    """
    shares: dict[int, float] = {}
    for weight, of_one in zip(weights_of(similarities).tolist(), tags, strict=True):
        for tag in of_one:
            shares[tag] = shares.get(tag, 0.0) + weight
    return shares


def chosen(shares: Mapping[int, float], measured: Mapping[str, float] | None) -> list[int]:
    """The tags that are worth suggesting, the surest first.

    :param measured: what ``thresholds`` found, or None before anything was measured
    """
    least = {tag: UNMEASURED_SHARE if measured is None else measured.get(str(tag), 2.0) for tag in shares}
    good = [tag for tag, share in shares.items() if share >= least[tag] - 1e-9]
    return sorted(good, key=lambda tag: (-shares[tag], tag))
