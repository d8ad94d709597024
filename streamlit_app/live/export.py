"""Download of the live list as CSV: for leads, and recorded before the file is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.access_log import AccessLog
from streamlit_app.live.lines import Line
from streamlit_app.people import access

# OWASP, "CSV Injection".
_FORMULA_STARTS = frozenset("=+-@\t\r")


def csv_of(lines: Sequence[Line]) -> str:
    """Write the lines as CSV; no text in it is a formula to a spreadsheet."""
    rows = pd.DataFrame([asdict(line) for line in lines])
    texts = rows.select_dtypes("object").columns
    rows[texts] = rows[texts].map(lambda text: f"'{text}" if text[:1] in _FORMULA_STARTS else text)
    return rows.to_csv(index=False)


def recorded_csv(person: Person, log: AccessLog | None, lines: Sequence[Line]) -> str:
    """Record the download, then write the file; an exception ends the download.

    Raises:
        Forbidden: the role allows no downloads.
        OSError: the record is not on disk.
    """
    person.require(Right.EXPORT)
    if log is not None:
        log.exported(person, f"live list, {len(lines)} lines")
    return csv_of(lines)


def button(person: Person, lines: Sequence[Line]) -> None:
    """Draw the button if the role allows downloads."""
    if not person.may(Right.EXPORT):
        return
    log = access.log_of_session()
    st.download_button(
        "Download",
        lambda: recorded_csv(person, log, lines),
        file_name="alerts.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        help="The lines below as CSV. The download is in the audit log.",
    )
