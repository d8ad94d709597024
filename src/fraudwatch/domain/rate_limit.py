"""Limit a rate of requests by token buckets, one a caller.

A bucket holds one second's requests, at least one, so that a caller may send them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class _Bucket:
    per_second: float
    level: float
    filled_at_seconds: float


@dataclass(slots=True)
class RateLimits:
    """Token buckets in memory, by caller; for one thread."""

    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def wait_seconds(self, caller: str, per_second: float, now_seconds: float) -> float:
        """Count a request of a caller; return 0, or the seconds until one is allowed again.

        A refused request is not counted. Changing a caller's rate begins a new bucket.
        """
        capacity = max(per_second, 1.0)
        bucket = self._buckets.get(caller)
        if bucket is None or bucket.per_second != per_second:
            bucket = self._buckets[caller] = _Bucket(per_second, capacity, now_seconds)
        passed_seconds = max(now_seconds - bucket.filled_at_seconds, 0.0)
        bucket.level = min(capacity, bucket.level + passed_seconds * per_second)
        bucket.filled_at_seconds = now_seconds
        if bucket.level < 1.0:
            return (1.0 - bucket.level) / per_second
        bucket.level -= 1.0
        return 0.0
