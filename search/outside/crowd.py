"""What photos from other worlds have in common, as sums over many of them, and what that says of each product.

A photo from another world points, before all, to where all photos of its kind point, and the products that lie there
are near every one of them. Known is the mean of many such photos, and how they scatter around it. A query is then
centred on that mean, and the likeness of a product is divided by how much such photos' likenesses to it scatter: local
scaling (Schnitzer et al., 2012) by a Gaussian. No photo's vector depends on another photo.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from search.projection import Projection, Vectors, unit

LEAST_PHOTOS = 50  # with fewer, their mean says more of them than of their kind
MOST_PHOTOS = 2_000  # of more, the earlier ones count less and less
# Numbers of all parts together. The scatter has the square of them: 21 MB here, and several times that while photos are
# added. A network's 2,048 and the descriptors fit; with VGG's 4,096 it would be more than three times as much.
LONGEST = 2_304
_TINY = 1e-9


@dataclass(frozen=True)
class Crowd:
    """Sums over photos from other worlds, in the encoder's own space, the parts side by side."""

    lengths: Mapping[str, int]  # part → its length
    photos: float  # that the sums are worth
    mean: np.ndarray  # (d,) float64
    scatter: np.ndarray  # (d, d) float32: the covariance

    @classmethod
    def empty(cls, lengths: Mapping[str, int]) -> "Crowd":
        total = sum(lengths.values())
        return cls(dict(lengths), 0.0, np.zeros(total), np.zeros((total, total), dtype=np.float32))

    def having(self, photos: Sequence[Vectors]) -> "Crowd":
        """With these photos added. Photos that lack a part are left out."""
        complete = [one for one in photos if all(name in one for name in self.lengths)]
        if not complete:
            return self
        rows = np.stack([np.concatenate([one[name] for name in self.lengths]) for one in complete]).astype(np.float64)
        before, n = min(self.photos, MOST_PHOTOS - len(rows)), len(rows)
        share = n / (before + n)
        apart = rows.mean(axis=0) - self.mean
        scatter, between = np.cov(rows.T, bias=True), np.outer(apart, apart)
        scatter *= share  # in place: these are large
        scatter += (1 - share) * self.scatter
        between *= share * (1 - share)
        scatter += between
        return Crowd(self.lengths, before + n, self.mean + share * apart, scatter.astype(np.float32))

    def seen_by(self, projection: Projection) -> "Spread":
        """The same in the space of an index."""
        start, maps, centres = 0, [], []
        slices = {}
        for name, length in self.lengths.items():
            slices[name] = slice(start, start + length)
            start += length
        for part in projection.parts:
            here = slices[part.name]
            matrix = np.eye(len(part.centre), dtype=np.float32) if part.matrix is None else part.matrix
            maps.append((here, matrix))
            centres.append((self.mean[here] - part.centre) @ matrix)
        blocks = [[left.T @ self.scatter[one, other] @ right for other, right in maps] for one, left in maps]
        names = projection.names
        sizes = {
            name: max(float(np.sqrt(max(np.trace(blocks[place][place]), 0.0))), _TINY)
            for place, name in enumerate(names)
        }
        return Spread(projection, dict(zip(names, centres, strict=True)), np.block(blocks), sizes)

    def to_bytes(self) -> bytes:
        file = io.BytesIO()
        upper = self.scatter[_upper(len(self.scatter))]
        names = np.array(list(self.lengths))
        lengths = np.array(list(self.lengths.values()))
        np.savez(file, names=names, lengths=lengths, photos=self.photos, mean=self.mean, upper=upper)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Crowd":
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            lengths = dict(zip(arrays["names"].tolist(), arrays["lengths"].tolist(), strict=True))
            mean = arrays["mean"]
            scatter = np.zeros((len(mean), len(mean)), dtype=np.float32)
            places = _upper(len(mean))
            scatter[places] = arrays["upper"]
            scatter.T[places] = arrays["upper"]
            return cls(lengths, float(arrays["photos"]), mean, scatter)


def _upper(d: int) -> np.ndarray:
    """``(d, d)`` bool: the diagonal and what is above it. An eighth of what the indices take."""
    return ~np.tri(d, k=-1, dtype=bool)


@dataclass(frozen=True)
class Spread:
    """A crowd in the space of one generation's index."""

    projection: Projection
    means: Mapping[str, np.ndarray]  # part → (d,): where the crowd's mean lies, beside the catalogue's
    scatter: np.ndarray  # (d, d), the parts side by side
    sizes: Mapping[str, float]  # part → how far the crowd scatters, all directions together

    def centred(self, vectors: Vectors) -> dict[str, np.ndarray]:
        """A photo's parts, seen from the crowd's mean: part name → ``(d,)`` float32 of unit length.

        :param vectors: as the encoder gave them
        """
        found = {}
        for part in self.projection.parts:
            if part.name in vectors:
                apart = vectors[part.name] - part.centre
                projected = apart if part.matrix is None else apart @ part.matrix
                direction = unit(projected - self.means[part.name])
                if direction is not None:
                    found[part.name] = direction
        return found

    def likenesses(self, query: Vectors, weights: Mapping[str, float], rows: np.ndarray) -> np.ndarray:
        """``(n,)``: likenesses of documents to a photo of the crowd, in the measure of the average document's.

        :param query: as ``centred`` gives it
        :param rows: ``(n, d)``, the parts of each document side by side, each at length 1, or 0 where it is missing
        """
        asked, scaled = np.zeros(rows.shape[1]), np.zeros_like(rows)
        for name, weight in self.projection.usable_weights(weights, query).items():
            where = self.projection.slices[name]
            asked[where] = weight * query[name]
            scaled[:, where] = weight / self.sizes[name] * rows[:, where]
        deviations = np.sqrt(np.maximum(np.einsum("ij,ij->i", scaled @ self.scatter, scaled), _TINY))
        return np.asarray(rows @ asked * (deviations.mean() / deviations))
