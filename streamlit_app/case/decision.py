"""Labels of a case, and the form that decides it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Forbidden, Person, Right
from fraudwatch.application.console.decide import ClaimedByAnother
from fraudwatch.application.ports import NotDelivered, StoreUnavailable
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.label import LabelValue
from streamlit_app.case import buttons, work
from streamlit_app.case.parts import unavailable
from streamlit_app.case.queries import CaseFile
from streamlit_app.case.view import label_line
from streamlit_app.case.work import LONGEST_NOTE, CaseClaim
from streamlit_app.console_services import ServiceSource
from streamlit_app.view_models import LABEL_WORDS

_NOTE_WARNING: Final = "Why? No names, no card numbers: the note is stored with the label."


def show_labels(case: CaseFile, now_ms: int) -> None:
    """Show the labels of the purchase, by whom and when."""
    st.subheader("Labels", anchor=False)
    if isinstance(case.labels, StoreUnavailable):
        unavailable("The list of labels")
        return
    for label in case.labels:
        st.text(label_line(label, now_ms))
        if label.note:
            st.text(f"    “{label.note}”")
    if not case.labels:
        st.text("No labels yet.")


def show_form(source: ServiceSource, person: Person, transaction_id: str, claim: CaseClaim) -> None:
    """Draw the decision form, for roles that decide; disabled under another person's claim."""
    if not person.may(Right.DECIDE):
        return
    st.subheader("Decide", anchor=False)
    if (saved := work.saved_just_now(transaction_id)) is not None:
        st.success(f"Saved: {saved}, by you.")
        buttons.next_case(source, person, transaction_id, place="bottom")
    is_off = claim.is_of_another(person)
    if is_off:
        st.info(f"You cannot decide this case: {claim.login} has claimed it.")
    with st.form("decision", enter_to_submit=False):
        truth = st.radio(
            "What was this purchase?",
            list(LabelValue),
            format_func=LABEL_WORDS.__getitem__,
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
    source: ServiceSource,
    person: Person,
    transaction_id: str,
    decision: tuple[LabelValue | None, str],
) -> None:
    truth, note = decision
    if truth is None:
        st.warning("Nothing was saved: choose fraud, genuine or unsure first.")
        return
    try:
        work.decide(source, person, transaction_id, (truth, note))
    except ClaimedByAnother as error:
        st.warning(
            f"Nothing was saved: {error.holder} has claimed this case in the meantime. Go to the "
            f"next case, or ask {error.holder} to release this one."
        )
    except Refused as error:
        st.error(f"Nothing was saved: {error.reason}. Shorten or change the note, then save again.")
    except NotDelivered:
        st.error(
            "The decision may not be saved: Kafka did not acknowledge it. Save it again; a repeat "
            "changes nothing. `./fraudwatch status` shows what is down."
        )
    except StoreUnavailable:
        st.error(
            "Nothing was saved: the store (Cassandra) does not answer, so the claim cannot be "
            "checked. Save again in a moment; `./fraudwatch status` shows what is down."
        )
    except Forbidden as error:
        st.error(f"Nothing was saved: {error}")
    else:
        st.rerun()
