"""Web pages of the mailbox: the list of mails and one mail, with all content escaped."""

from __future__ import annotations

import html
import re
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, status
from fastapi.responses import HTMLResponse

from dev_mail.mails import Mail, Mails

SHOWN = 100
REFRESH_SECONDS = 10
_URL = re.compile(r"(https?://[^\s<>\"']+)")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1c2430;background:#fff}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top}
td,th{padding:.5rem .75rem .5rem 0;border-bottom:1px solid #d8dee6}
td:first-child{white-space:nowrap} td{overflow-wrap:anywhere} a{color:#0b5cad}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f6f8;padding:1rem;border-radius:.4rem}
@media(prefers-color-scheme:dark){body{color:#e6eaf0;background:#12161c}a{color:#7db7f5}
pre{background:#1d232c}td,th{border-color:#323b47}}
"""

pages = APIRouter(default_response_class=HTMLResponse)


def _mails(request: Request) -> Mails:
    mails: Mails = request.app.state.mails
    return mails


InjectedMails = Annotated[Mails, Depends(_mails)]


@pages.get("/health")
def health() -> HTMLResponse:
    """Answer the readiness probe."""
    return _page("Mailbox", "<p>The mailbox answers.</p>")


@pages.get("/")
def listing(mails: InjectedMails) -> HTMLResponse:
    """List the newest mails, newest first; the page reloads itself."""
    rows = "".join(_row(mail) for mail in mails.newest(SHOWN))
    table = (
        "<table><thead><tr><th>Received (UTC)</th><th>Subject</th><th>To</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        if rows
        else "<p>No mail yet. A failed Airflow run sends one here.</p>"
    )
    return _page("Mailbox", table, refresh=True)


@pages.get("/mails/{key}")
def one_mail(key: str, mails: InjectedMails) -> HTMLResponse:
    """Show one mail with clickable links."""
    try:
        mail = mails.read(key)
    except KeyError as error:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such mail") from error
    headers = (("From", mail.sender), ("To", mail.recipient), ("Received (UTC)", _moment(mail)))
    rows = "".join(
        f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in headers
    )
    return _page(
        mail.subject or "(no subject)",
        f'<p><a href="/">All mails</a></p><table>{rows}</table><pre>{_linked(mail.text)}</pre>',
    )


def _row(mail: Mail) -> str:
    subject = html.escape(mail.subject or "(no subject)")
    return (
        f"<tr><td>{_moment(mail)}</td>"
        f'<td><a href="/mails/{html.escape(mail.key)}">{subject}</a></td>'
        f"<td>{html.escape(mail.recipient)}</td></tr>"
    )


def _moment(mail: Mail) -> str:
    return f"{mail.received_at:%Y-%m-%d %H:%M:%S}"


def _linked(text: str) -> str:
    """Escape the text and make links of its URLs."""
    pieces = _URL.split(text)  # every second piece is a URL
    return "".join(
        f'<a href="{html.escape(piece)}" rel="noreferrer">{html.escape(piece)}</a>'
        if index % 2
        else html.escape(piece)
        for index, piece in enumerate(pieces)
    )


def _page(title: str, body: str, *, refresh: bool = False) -> HTMLResponse:
    name = html.escape(title)
    reload = f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">' if refresh else ""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>{reload}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{name}</h1>{body}</main></body></html>",
        headers=_HEADERS,
    )
