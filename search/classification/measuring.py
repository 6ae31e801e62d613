"""How right a classifier is on products that it was not trained on, and how sure it may say it is."""

from dataclasses import asdict, dataclass

import numpy as np

from search.classification.samples import Samples

FOLDS = 5
_BINS = 10


@dataclass(frozen=True)
class Figures:
    """Over ``n`` photos, each judged by a classifier that has seen no photo of its product."""

    n: int
    products: int
    categories: int
    folds: int
    top1: float  # share of photos whose own category comes first
    top3: float  # among the first three
    macro_f1: float  # mean over the categories of the F1 of the first place
    calibration_error: float  # mean distance between how sure it was and how often it was right

    def as_json(self) -> dict[str, float]:
        return asdict(self)


def folds_of(samples: Samples, seed: int = 0) -> np.ndarray:
    """``(n,)`` int64: the fold of every photo. A product's photos share one, and each category is dealt out evenly."""
    label_of = samples.label_of_product
    count = min(FOLDS, int(np.bincount(label_of).min()))
    random = np.random.default_rng(seed)
    fold_of = np.zeros(len(label_of), dtype=np.int64)
    for label in range(len(samples.classes)):
        members = random.permutation(np.flatnonzero(label_of == label))
        fold_of[members] = np.arange(len(members)) % count
    return fold_of[samples.groups]


def shares(scores: np.ndarray, temperature: float) -> np.ndarray:
    """``(n, classes)`` scores → shares that sum to 1: the softmax at this temperature."""
    scaled = scores.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def fitted_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The temperature at which held-out labels are likeliest (Guo et al., 2017: one number, the ranking stays).

    Every label is taken as right in ``n + 1`` of ``n + 2`` cases (the rule of succession, as in Platt, 1999): six right
    ones of six make nobody as good as certain.
    """
    from scipy.optimize import minimize_scalar  # only training needs it, and every command imports this module

    below = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    photos, classes = below.shape
    own = below[np.arange(photos), labels]
    wrong = 1 / (photos + 2)
    others = (below.sum(axis=1) - own) / max(classes - 1, 1)
    expected = float(((1 - wrong) * own + wrong * others).mean())

    def loss(logarithm: float) -> float:
        temperature = np.exp(logarithm)
        return float(np.log(np.exp(below / temperature).sum(axis=1)).mean() - expected / temperature)

    return float(np.exp(minimize_scalar(loss, bounds=(-5.0, 5.0), method="bounded").x))


def figures_of(samples: Samples, probabilities: np.ndarray, folds: int) -> Figures:
    """:param probabilities: ``(n, classes)`` of held-out photos"""
    labels = samples.labels
    ranked = np.argsort(-probabilities, axis=1, kind="stable")
    first, sure = ranked[:, 0], probabilities.max(axis=1)
    return Figures(
        n=len(labels),
        products=len(samples.products),
        categories=len(samples.classes),
        folds=folds,
        top1=float((first == labels).mean()),
        top3=float((ranked[:, :3] == labels[:, None]).any(axis=1).mean()),
        macro_f1=_macro_f1(labels, first, len(samples.classes)),
        calibration_error=_calibration_error(sure, first == labels),
    )


def _macro_f1(labels: np.ndarray, said: np.ndarray, classes: int) -> float:
    right = np.bincount(labels[labels == said], minlength=classes)
    both = np.bincount(labels, minlength=classes) + np.bincount(said, minlength=classes)
    return float((2 * right / np.maximum(both, 1)).mean())


def _calibration_error(sure: np.ndarray, right: np.ndarray) -> float:
    """The expected calibration error in ten bins of equal width (Naeini et al., 2015)."""
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for one in np.unique(bins):
        inside = bins == one
        error += inside.mean() * abs(sure[inside].mean() - right[inside].mean())
    return float(error)
