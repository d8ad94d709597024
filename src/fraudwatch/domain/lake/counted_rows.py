"""Count the rows of a batch job: every row is written, or rejected with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRows:
    """Rows in and out, and the interval [from, until) of their time; None where there were none."""

    rows_in: int = 0
    rows_out: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    from_ms: int | None = None
    until_ms: int | None = None

    def __add__(self, other: CountedRows) -> CountedRows:
        """Add both counts."""
        reasons = sorted({*self.rejected, *other.rejected})
        starts = [one for one in (self.from_ms, other.from_ms) if one is not None]
        ends = [one for one in (self.until_ms, other.until_ms) if one is not None]
        return CountedRows(
            rows_in=self.rows_in + other.rows_in,
            rows_out=self.rows_out + other.rows_out,
            rejected={
                why: self.rejected.get(why, 0) + other.rejected.get(why, 0) for why in reasons
            },
            from_ms=min(starts, default=None),
            until_ms=max(ends, default=None),
        )
