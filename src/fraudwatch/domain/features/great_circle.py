"""Distance between two positions in plain Python; the fold compiles it."""

from __future__ import annotations

import math

_EARTH_RADIUS_KM = 6_371.0088  # mean radius, IUGG


def great_circle_km(
    latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float
) -> float:
    """Return the distance over the sphere between two positions in degrees (haversine formula)."""
    p1, p2 = math.radians(latitude_1), math.radians(latitude_2)
    half_p, half_l = (p2 - p1) / 2, math.radians(longitude_2 - longitude_1) / 2
    a = math.sin(half_p) ** 2 + math.cos(p1) * math.cos(p2) * math.sin(half_l) ** 2
    if math.isnan(a):
        return math.nan
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(a)))
