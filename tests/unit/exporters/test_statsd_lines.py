from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.statsd_bridge.lines import BadLine, Kind, Sample, parse_line, plain_name

PLAIN = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12).filter(
    lambda name: not name.startswith("__") and name not in {"le", "quantile"}
)
NAMES = st.lists(PLAIN, min_size=1, max_size=3).map(".".join)
VALUES = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789_./-", min_size=1, max_size=12)
NUMBERS = st.decimals(min_value=0, max_value=10**9, places=4, allow_nan=False, allow_infinity=False)


def parsed(line: bytes) -> list[Sample]:
    return list(parse_line(line))


def only(line: bytes) -> dict[str, Any]:
    [one] = parsed(line)
    return {"value": one.value, "is_change": one.is_change, "times": one.times}


def test_name_tags_and_kind_of_a_line() -> None:
    [sample] = parsed(b"airflow.task.duration,task_id=b,dag_id=a-1:1500.000000|ms")
    assert sample == Sample(
        name="airflow.task.duration",
        labels=(("dag_id", "a-1"), ("task_id", "b")),
        kind=Kind.TIMER,
        value=1.5,
    )


@pytest.mark.parametrize(
    ("line", "value"),
    [(b"a:3|c", 3), (b"a:3|c|@0.1", 30), (b"a:.5|c", 0.5), (b"a:2|h", 2), (b"a:2e3|d", 2000)],
)
def test_values_by_type_and_sample_rate(line: bytes, value: float) -> None:
    assert only(line)["value"] == pytest.approx(value)


def test_a_sampled_timer_is_several_observations() -> None:
    assert only(b"a:10|ms|@0.25") == {"value": 0.01, "is_change": False, "times": 4}


@pytest.mark.parametrize(
    ("line", "is_change"), [(b"a:5|g", False), (b"a:+5|g", True), (b"a:-5|g", True)]
)
def test_a_gauge_with_a_sign_is_a_change(line: bytes, *, is_change: bool) -> None:
    assert only(line)["is_change"] is is_change


def test_several_samples_of_one_line() -> None:
    assert [one.value for one in parsed(b"a:1|c:2|c")] == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        b"a", b"a:", b":1|c", b"a:1", b"a:x|c", b"a:1|s", b"a:1|c|", b"a:1|c|@", b"a:1|c|@2",
        b"a:1|c|@0", b"a:-1|c", b"a:nan|g", b"a:inf|g", b"a:1e999|g", b"a:1_0|g", b"a:1|c|#x:y",
        b"a,x:1|c", b"a,x=:1|c", b"a,=y:1|c", b"a[x=y]:1|c", b"a#x=y:1|c", b"a,le=1:1|ms",
        b"a,__x=1:1|c", b"\xff:1|c", b"a:\xd9\xa1|c", b"a:1:2|ms",
    ],
)  # fmt: skip
def test_a_bad_line_is_refused(line: bytes) -> None:
    with pytest.raises(BadLine):
        parsed(line)


@given(st.binary(max_size=60))
def test_any_bytes_are_samples_or_a_bad_line(line: bytes) -> None:
    try:
        samples = parsed(line)
    except BadLine:
        return
    assert samples


@given(NAMES, st.dictionaries(PLAIN, VALUES, max_size=4), NUMBERS)
def test_what_a_client_writes_is_read_back(name: str, tags: dict[str, str], number: Any) -> None:
    written = "".join(f",{key}={value}" for key, value in tags.items())
    [sample] = parsed(f"{name}{written}:{number}|g".encode())
    assert (sample.name, dict(sample.labels)) == (name, tags)
    assert sample.value == float(number)


@pytest.mark.parametrize(
    ("name", "plain"),
    [("a.b-c", "a_b_c"), ("a--b", "a_b"), ("9a", "_9a"), ("a b/c", "a_b_c"), ("ä", "_")],
)
def test_names_are_those_of_prometheus(name: str, plain: str) -> None:
    assert plain_name(name) == plain
