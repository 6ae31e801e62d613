"""What the catalogue says of a photo that waits for a decision: what it resembles, and what became of that."""

from search.evidence.neighbours import Evidence, Neighbour, evidence_of

__all__ = ["Evidence", "Neighbour", "evidence_of"]
