"""The closed list of tags; a DAG has one impact tier and the layers that it writes."""

from __future__ import annotations

from enum import StrEnum


class Impact(StrEnum):
    """Impact of a failure: the time within which an operator must react."""

    TIER_1 = "impact/tier_1"
    """At once: the stream scores with its results, or data would be lost."""
    TIER_2 = "impact/tier_2"
    """The same working day: reports show yesterday's figures."""
    TIER_3 = "impact/tier_3"
    """This week: no reader depends on it at first."""


class Layer(StrEnum):
    """The layer that a DAG writes."""

    RAW = "layer/raw"
    CORE = "layer/core"
    OUT = "layer/out"
    VIEWS = "layer/views"
    MODELS = "layer/models"


TAGS = frozenset({*Impact, *Layer})
