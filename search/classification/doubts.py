"""Labels that are likely wrong, from held-out shares, in the manner of confident learning (Northcutt et al., 2021).

A category's own photos say how sure a classifier usually is of it: the mean share that they get. A product is doubted
where another category is likelier and its own gets less than half of what it usually gets. The order is by that ratio
(normalised self-confidence): on clothing with one label in twenty made wrong it puts more of the wrong ones first than
the margin between the two shares does, or than only what reaches the other category's own mean.
"""

from dataclasses import dataclass

import numpy as np

from search.classification.samples import Samples

LEAST = 0.5  # doubt


@dataclass(frozen=True)
class Doubt:
    product: int  # its place in ``Samples.products``
    label: int
    suggested: int
    own: float
    best: float
    doubt: float  # 0 where its own category is as likely as usual, 1 where it is out of the question


def by_product(samples: Samples, probabilities: np.ndarray) -> np.ndarray:
    """``(products, classes)``: the mean over a product's photos of their held-out shares."""
    sums = np.zeros((len(samples.products), probabilities.shape[1]))
    np.add.at(sums, samples.groups, probabilities)
    return sums / np.bincount(samples.groups)[:, None]


def doubts_of(samples: Samples, probabilities: np.ndarray) -> list[Doubt]:
    """The products that are likelier in another category than in their own, the most doubtful first.

    :param probabilities: ``(n, classes)`` of held-out photos
    """
    shares, labels = by_product(samples, probabilities), samples.label_of_product
    own = shares[np.arange(len(labels)), labels]
    usual = np.array([own[labels == label].mean() for label in range(len(samples.classes))])
    doubt = 1 - own / np.maximum(usual[labels], 1e-9)
    likeliest = shares.argmax(axis=1)
    found = np.flatnonzero((likeliest != labels) & (doubt >= LEAST))
    ranked = found[np.lexsort((found, -doubt[found]))]
    return [
        Doubt(n, int(labels[n]), int(likeliest[n]), float(own[n]), float(shares[n].max()), float(doubt[n]))
        for n in ranked.tolist()
    ]
