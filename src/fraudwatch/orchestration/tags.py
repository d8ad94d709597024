"""The closed list of tags; a DAG carries one impact tier, and what it feeds."""

from __future__ import annotations

from enum import StrEnum


class Impact(StrEnum):
    """How soon a person has to look when it fails."""

    TIER_1 = "impact/tier_1"
    """At once: the stream judges by what it makes, or data would be lost."""
    TIER_2 = "impact/tier_2"
    """The same working day: people read yesterday's figures."""
    TIER_3 = "impact/tier_3"
    """This week: nobody notices at first."""


class Layer(StrEnum):
    """What it writes."""

    RAW = "layer/raw"
    CORE = "layer/core"
    OUT = "layer/out"
    VIEWS = "layer/views"
    MODELS = "layer/models"


TAGS = frozenset({*Impact, *Layer})
