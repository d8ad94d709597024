from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.domain.evaluation.labelled_alerts import current_labels
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.training.label_history import LabelChange, label_changes, labels_as_of


def a_label(name: str, verdict: str, at_ms: int, source: str = "chargeback") -> Label:
    return Label(
        schema=LABEL_SCHEMA,
        transaction_id=name,
        verdict=LabelValue(verdict),
        source=Source(source),
        by="bank",
        known_at_ms=at_ms,
    )


def test_a_label_counts_from_when_it_was_known() -> None:
    changes = label_changes([a_label("a", "fraud", 100), a_label("a", "genuine", 200)])
    assert changes == [
        LabelChange("a", 100, LabelValue.FRAUD),
        LabelChange("a", 200, LabelValue.GENUINE),
    ]
    assert labels_as_of(changes, 100) == {}
    assert labels_as_of(changes, 101) == {"a": LabelValue.FRAUD}
    assert labels_as_of(changes, 201) == {"a": LabelValue.GENUINE}


def test_an_unsure_label_is_kept_as_a_change() -> None:
    changes = label_changes([a_label("a", "unsure", 100, "analyst")])
    assert labels_as_of(changes, 999) == {"a": LabelValue.UNSURE}
    labels = [a_label("a", "fraud", 100, "analyst"), a_label("a", "unsure", 200, "analyst")]
    assert labels_as_of(label_changes(labels), 999) == {"a": LabelValue.UNSURE}


@given(
    st.lists(
        st.builds(
            a_label,
            st.sampled_from("ab"),
            st.sampled_from([str(one) for one in LabelValue]),
            st.integers(0, 6),
            st.sampled_from([str(one) for one in Source]),
        ),
        max_size=12,
    ),
    st.integers(0, 8),
)
def test_labels_as_of_any_time_equal_the_labels_in_effect_then(
    labels: list[Label], as_of: int
) -> None:
    known = [label for label in labels if label.known_at_ms < as_of]
    found = labels_as_of(label_changes(labels), as_of)
    sure = {name: value for name, value in found.items() if value is not LabelValue.UNSURE}
    assert sure == dict(current_labels(known))
    assert found.keys() == {label.transaction_id for label in known}
