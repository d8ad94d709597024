"""Server of the console: Streamlit's pages, and the routes of the session cookie beside them."""

from __future__ import annotations

import time

from streamlit.starlette import App

from fraudwatch.adapters.accounts.account_store import SqliteAccountStore
from fraudwatch.application.console.sessions import Sessions
from fraudwatch.domain.time_units import MINUTE_MS
from fraudwatch.settings import ConsoleSettings
from streamlit_app.people.session_cookie import tickets
from streamlit_app.people.session_routes import session_routes
from streamlit_app.people.single_sign_on import SingleSignOn, offer
from streamlit_app.settings import SingleSignOnSettings

settings = ConsoleSettings()
sessions = Sessions(
    SqliteAccountStore(settings.accounts_folder),
    now_ms=lambda: time.time_ns() // 1_000_000,
    idle_ms=int(settings.idle_minutes * MINUTE_MS),
)
provider = SingleSignOnSettings()
if provider.is_offered:
    offer.single_sign_on = SingleSignOn(provider.login_claim)
app = App("app.py", routes=session_routes(sessions, tickets), secrets=provider.secrets() or None)
