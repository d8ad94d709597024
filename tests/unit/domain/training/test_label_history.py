from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.evaluation.labelled_alerts import standing_truths
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, Source, Truth
from fraudwatch.domain.training.label_history import Change, truth_changes, truths_by


def a_label(name: str, verdict: str, at_ms: int, source: str = "chargeback") -> Label:
    return Label(
        schema=LABEL_SCHEMA,
        transaction_id=name,
        verdict=Truth(verdict),
        source=Source(source),
        by="bank",
        known_at_ms=at_ms,
    )


def test_a_truth_is_known_from_when_it_was_said() -> None:
    changes = truth_changes([a_label("a", "fraud", 100), a_label("a", "genuine", 200)])
    assert changes == [Change("a", 100, Truth.FRAUD), Change("a", 200, Truth.GENUINE)]
    assert truths_by(changes, 100) == {}
    assert truths_by(changes, 101) == {"a": Truth.FRAUD}
    assert truths_by(changes, 201) == {"a": Truth.GENUINE}


def test_somebody_who_cannot_tell_leaves_a_trace() -> None:
    changes = truth_changes([a_label("a", "unsure", 100, "analyst")])
    assert truths_by(changes, 999) == {"a": Truth.UNSURE}
    said = [a_label("a", "fraud", 100, "analyst"), a_label("a", "unsure", 200, "analyst")]
    assert truths_by(truth_changes(said), 999) == {"a": Truth.UNSURE}


@given(
    st.lists(
        st.builds(
            a_label,
            st.sampled_from("ab"),
            st.sampled_from([str(one) for one in Truth]),
            st.integers(0, 6),
            st.sampled_from([str(one) for one in Source]),
        ),
        max_size=12,
    ),
    st.integers(0, 8),
)
def test_at_any_time_it_says_what_the_standing_truths_said(labels: list[Label], as_of: int) -> None:
    known = [label for label in labels if label.known_at_ms < as_of]
    found = truths_by(truth_changes(labels), as_of)
    sure = {name: truth for name, truth in found.items() if truth is not Truth.UNSURE}
    assert sure == dict(standing_truths(known))
    assert found.keys() == {label.transaction_id for label in known}
