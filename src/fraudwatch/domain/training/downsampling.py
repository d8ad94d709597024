"""Which purchases are trained on when there are more than memory should hold.

Every fraud stays; of the genuine ones an even share, chosen by a hash of the id, so that the same
lake gives the same rows. Each kept genuine purchase then counts for those left out: probabilities
stay those of the whole, and test days are never drawn from.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drawn:
    """How many there are of both kinds, and the share of the genuine ones that is kept."""

    frauds: int
    genuine: int
    genuine_ratio: float

    @property
    def genuine_weight(self) -> float:
        """For how many genuine purchases each kept one counts."""
        return 1.0 / self.genuine_ratio


def drawn_of(frauds: int, genuine: int, most_rows: int) -> Drawn:
    """Keep all frauds, and genuine purchases in the room that is left: half the rows at least."""
    room = max(most_rows - frauds, most_rows // 2)
    return Drawn(frauds, genuine, min(1.0, room / genuine) if genuine else 1.0)
