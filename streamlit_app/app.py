"""The console's entry: wires settings, store and pages; login comes first."""

from __future__ import annotations

import streamlit as st

from fraudwatch.adapters.cassandra_alerts import CassandraAlertReader
from fraudwatch.adapters.cassandra_session import connect
from fraudwatch.application.ports import AlertReader
from fraudwatch.settings import CassandraSettings, ConsoleSettings
from streamlit_app import login, metrics
from streamlit_app.queries import Source
from streamlit_app.screens import live

# A screen that refreshes each second has no use for an answer that takes longer than this.
STORE_TIMEOUT_SECONDS = 2.0


def main(source: Source, account: ConsoleSettings) -> None:
    """Show the page that was asked for, or the login form to whoever is not logged in."""
    st.set_page_config(page_title="Fraudwatch", page_icon=":material/shield:", layout="wide")
    # The pages are declared before the login, so that a link into the console is never "not found".
    screen = st.Page(lambda: live.show(source), title="Live alerts", url_path="live")
    page = st.navigation([screen], position="hidden")
    if login.signed_in_as() is None:
        login.show(account)
        return
    _header()
    page.run()


def _header() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Fraudwatch", anchor=False, width="stretch")
        st.text(login.signed_in_as() or "", width="content")
        st.button("Log out", on_click=login.sign_out)


def _open_reader() -> AlertReader:
    settings = CassandraSettings()
    return CassandraAlertReader(connect(settings, request_timeout_seconds=STORE_TIMEOUT_SECONDS))


if __name__ == "__main__":
    settings = ConsoleSettings()
    metrics.serve(settings.metrics_port)
    main(Source(_open_reader), settings)
