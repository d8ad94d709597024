from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest

from fraudwatch.domain.messages.fields import Column, Fact, columns_of, json_schema_of, problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message of this test."""

    weight: Annotated[int, Fact("How heavy", unit="g", minimum=1)]
    note: Annotated[str | None, Fact("A remark", max_length=3)] = None


@dataclass(frozen=True, slots=True)
class WithoutFact:
    weight: int


@dataclass(frozen=True, slots=True)
class WithTwoFacts:
    weight: Annotated[int, Fact("How heavy"), Fact("How heavy, again")]


def test_columns_come_from_annotations_and_defaults_from_the_dataclass() -> None:
    assert columns_of(Parcel) == (
        Column("weight", int, False, False, Fact("How heavy", unit="g", minimum=1)),
        Column("note", str, True, True, Fact("A remark", max_length=3)),
    )


def test_only_fields_without_a_default_are_required_in_the_schema() -> None:
    schema = json_schema_of(Parcel, title="parcel")
    assert schema["required"] == ["weight"]
    assert schema["properties"]["note"]["type"] == ["string", "null"]


def test_bounds_of_an_annotation_are_checked() -> None:
    assert [problem.field for problem in problems(Parcel(weight=0, note="long"))] == [
        "weight",
        "note",
    ]
    assert problems(Parcel(weight=1)) == []


@pytest.mark.parametrize(("message", "count"), [(WithoutFact, 0), (WithTwoFacts, 2)])
def test_a_field_without_exactly_one_fact_is_refused(message: type, count: int) -> None:
    with pytest.raises(
        TypeError, match=rf"^{message.__name__}\.weight needs one Fact but has {count}, so .*"
    ):
        columns_of(message)
