"""Labels that are likely wrong: confident learning (Northcutt, Jiang and Chuang, 2021) on held-out shares.

A category's own photos say how sure a classifier usually is of it: the mean share that they get. A product is counted
as another category where it reaches that category's mean; it is doubted where that is not its own.
"""

from dataclasses import dataclass

import numpy as np

from search.classification.samples import Samples


@dataclass(frozen=True)
class Doubt:
    product: int  # its place in ``Samples.products``
    label: int
    suggested: int
    own: float
    best: float

    @property
    def margin(self) -> float:
        return self.best - self.own


def by_product(samples: Samples, probabilities: np.ndarray) -> np.ndarray:
    """``(products, classes)``: the mean over a product's photos of their held-out shares."""
    sums = np.zeros((len(samples.products), probabilities.shape[1]))
    np.add.at(sums, samples.groups, probabilities)
    return sums / np.bincount(samples.groups)[:, None]


def doubts_of(samples: Samples, probabilities: np.ndarray) -> list[Doubt]:
    """The products that stand confidently in another category than their own, the widest margin first.

    :param probabilities: ``(n, classes)`` of held-out photos
    """
    shares, labels = by_product(samples, probabilities), samples.label_of_product
    usual = np.array([shares[labels == label, label].mean() for label in range(len(samples.classes))])
    confident = np.where(shares >= usual, shares, -1.0)
    counted_as = confident.argmax(axis=1)
    found = [
        Doubt(int(product), int(labels[product]), int(counted_as[product]), own, best)
        for product in np.flatnonzero((confident.max(axis=1) >= 0) & (counted_as != labels))
        if (best := float(shares[product, counted_as[product]])) > (own := float(shares[product, labels[product]]))
    ]
    return sorted(found, key=lambda one: (-one.margin, one.product))
