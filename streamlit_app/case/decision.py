"""What is already known of a case, and the decision."""

from __future__ import annotations

from typing import Final

import streamlit as st

from fraudwatch.application.access import Forbidden, Person, Right
from fraudwatch.application.decide import HeldByAnother
from fraudwatch.application.ports import NotDelivered, StoreUnavailable
from fraudwatch.domain.dead_letter import Refused
from fraudwatch.domain.label import Truth
from streamlit_app.case import buttons, work
from streamlit_app.case.parts import away
from streamlit_app.case.queries import CaseFile
from streamlit_app.case.view import TRUTH_WORDS, label_line
from streamlit_app.case.work import LONGEST_NOTE, Holder
from streamlit_app.desk import Source

_NOTE_WARNING: Final = "Why? No names, no card numbers: the note is kept with the label."


def known(case: CaseFile, now_ms: int) -> None:
    """What was said of the purchase before, by whom and when."""
    st.subheader("Already known", anchor=False)
    if isinstance(case.labels, StoreUnavailable):
        away("What is already known")
        return
    for label in case.labels:
        st.text(label_line(label, now_ms))
        if label.note:
            st.text(f"    “{label.note}”")
    if not case.labels:
        st.text("Nothing yet: nobody has said what this purchase was.")


def offer(source: Source, person: Person, transaction_id: str, holder: Holder) -> None:
    """The decision, for whoever may give one and does not meet somebody else at it."""
    if not person.may(Right.DECIDE):
        return
    st.subheader("Decide", anchor=False)
    if (saved := work.saved_just_now(transaction_id)) is not None:
        st.success(f"Saved: {saved}, by you.")
        buttons.next_case(source, person, transaction_id, place="bottom")
    is_off = holder.is_other_than(person)
    if is_off:
        st.info(f"Deciding is off: {holder.login} works on this case.")
    with st.form("decision", enter_to_submit=False):
        truth = st.radio(
            "What was this purchase?",
            list(Truth),
            format_func=TRUTH_WORDS.__getitem__,
            index=None,
            horizontal=True,
            disabled=is_off,
            key=f"case_truth_{transaction_id}",
        )
        note = st.text_area(
            "Note",
            max_chars=LONGEST_NOTE,
            placeholder=_NOTE_WARNING,
            help=_NOTE_WARNING,
            height=80,
            disabled=is_off,
            key=f"case_note_{transaction_id}",
        )
        is_sent = st.form_submit_button("Save decision", type="primary", disabled=is_off)
    if is_sent:
        _save(source, person, transaction_id, (truth, note))


def _save(
    source: Source, person: Person, transaction_id: str, said: tuple[Truth | None, str]
) -> None:
    truth, note = said
    if truth is None:
        st.warning("Nothing was saved: choose fraud, genuine or unsure first.")
        return
    try:
        work.decide(source, person, transaction_id, (truth, note))
    except HeldByAnother as error:
        st.warning(
            f"Nothing was saved: {error.holder} has taken this case since. Take the next one, or "
            f"ask {error.holder} to release it."
        )
    except Refused as error:
        st.error(f"Nothing was saved: {error.reason}. Shorten or change the note, then save again.")
    except NotDelivered:
        st.error(
            "Not saved for certain: Kafka did not acknowledge the decision. Save it again; twice "
            "the same does no harm. `./fraudwatch status` shows what is down."
        )
    except StoreUnavailable:
        st.error(
            "Nothing was saved: the store (Cassandra) cannot tell who has this case. Save again "
            "in a moment; `./fraudwatch status` shows what is down."
        )
    except Forbidden as error:
        st.error(f"Nothing was saved: {error}")
    else:
        st.rerun()
