"""Outlines of the world's countries, from a package's data: no network access.

Countries without an outline in the data are points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

import altair as alt
from countryinfo import CountryInfo

# Antarctica: a ring around the pole, and no shops.
_EXCLUDED: Final = frozenset({"AQ"})
_LAND, _BORDER = "#e8e6df", "#a9a59a"
_MIN_SPAN_DEGREES: Final = 4.0
_MARGIN: Final = 0.25
_NORTHERNMOST: Final = 85.0  # Mercator grows without bound beyond it

Feature = dict[str, Any]
Ring = Sequence[Sequence[float]]


class Frame(NamedTuple):
    """Section of the map, in degrees."""

    west: float
    south: float
    east: float
    north: float


@cache
def countries() -> tuple[Feature, ...]:
    """One GeoJSON feature a country, with the properties ``iso_alpha2`` and ``name``."""
    by_code: dict[str, Feature] = {}
    for country in CountryInfo.all().values():
        code = country["ISO"].get("alpha2")
        feature = _feature(code, country)
        # Territories share their country's code: an outline replaces a point.
        if feature and (code not in by_code or _is_point(by_code[code])):
            by_code[code] = feature
    return tuple(by_code[code] for code in sorted(by_code))


def outlines(frame: Frame | None = None) -> alt.Chart:
    """Draw the countries as a background for points; only those in the frame, if given."""
    shown = [
        one for one in countries() if not _is_point(one) and (frame is None or _touches(one, frame))
    ]
    chart: alt.Chart = alt.Chart(alt.InlineData(values=shown)).mark_geoshape(
        fill=_LAND, stroke=_BORDER, strokeWidth=0.6, clip=True
    )
    return chart


def frame_of(positions: Sequence[tuple[float, float]]) -> Frame:
    """Frame around these (latitude, longitude) positions, with a margin on every side."""
    latitudes, longitudes = [at[0] for at in positions], [at[1] for at in positions]
    south, north = _widened(min(latitudes), max(latitudes))
    west, east = _widened(min(longitudes), max(longitudes))
    return Frame(
        max(west, -180.0), max(south, -_NORTHERNMOST), min(east, 180.0), min(north, _NORTHERNMOST)
    )


def fit_to(frame: Frame) -> list[Feature]:
    """Corners of the frame for a projection: ``project(fit=fit_to(frame))``."""
    corners = [
        [frame.west, frame.south],
        [frame.west, frame.north],
        [frame.east, frame.north],
        [frame.east, frame.south],
    ]
    geometry = {"type": "MultiPoint", "coordinates": corners}
    return [{"type": "Feature", "properties": {}, "geometry": geometry}]


def _is_point(feature: Feature) -> bool:
    return bool(feature["geometry"]["type"] == "Point")


def _feature(code: str, country: Mapping[str, Any]) -> Feature | None:
    geometry = _geometry(country)
    if not code or code in _EXCLUDED or geometry is None:
        return None
    properties = {"iso_alpha2": code, "name": country["name"]}
    return {"type": "Feature", "id": code, "properties": properties, "geometry": geometry}


def _geometry(country: Mapping[str, Any]) -> dict[str, Any] | None:
    drawn = country.get("geoJSON", {}).get("features", [])
    if drawn:
        shape = drawn[0]["geometry"]
        parts = shape["coordinates"]
        polygons = [parts] if shape["type"] == "Polygon" else parts
        return {"type": "MultiPolygon", "coordinates": [_wound(rings) for rings in polygons]}
    position: Sequence[float] = country.get("latlng") or ()
    if len(position) != 2:  # noqa: PLR2004  a latitude and a longitude
        return None
    return {"type": "Point", "coordinates": [position[1], position[0]]}


def _wound(rings: Sequence[Ring]) -> list[Ring]:
    """Wind outer rings clockwise and holes the other way; else Vega fills the rest of the globe."""
    return [
        ring if (_area(ring) > 0) == (place > 0) else list(reversed(ring))
        for place, ring in enumerate(rings)
    ]


def _area(ring: Ring) -> float:
    """Twice the signed area; positive for a counter-clockwise ring."""
    return sum(here[0] * there[1] - there[0] * here[1] for here, there in pairwise(ring))


def _touches(feature: Feature, frame: Frame) -> bool:
    points = [at for rings in feature["geometry"]["coordinates"] for at in rings[0]]
    west, east = min(at[0] for at in points), max(at[0] for at in points)
    south, north = min(at[1] for at in points), max(at[1] for at in points)
    # Twice the frame: a wide window shows more than the projection was fitted to.
    wide, high = frame.east - frame.west, frame.north - frame.south
    is_beside = west > frame.east + 2 * wide or east < frame.west - 2 * wide
    return not is_beside and not (south > frame.north + high or north < frame.south - high)


def _widened(low: float, high: float) -> tuple[float, float]:
    span = max(high - low, _MIN_SPAN_DEGREES)
    middle = (low + high) / 2
    return middle - span * (0.5 + _MARGIN), middle + span * (0.5 + _MARGIN)
