"""Web pages of the mailbox: the list of mails and one mail, with all content escaped."""

from __future__ import annotations

import html
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, status
from fastapi.responses import HTMLResponse

from dev_mail.html_page import linked, page
from dev_mail.mails import Mail, Mails

SHOWN = 100
pages = APIRouter(default_response_class=HTMLResponse)


def _mails(request: Request) -> Mails:
    mails: Mails = request.app.state.mails
    return mails


InjectedMails = Annotated[Mails, Depends(_mails)]


@pages.get("/health")
def health() -> HTMLResponse:
    """Answer the readiness probe."""
    return page("Mailbox", "<p>The mailbox answers.</p>")


@pages.get("/")
def listing(mails: InjectedMails) -> HTMLResponse:
    """List the newest mails, newest first; the page reloads itself."""
    rows = "".join(_row(mail) for mail in mails.newest(SHOWN))
    table = (
        "<table><thead><tr><th>Received (UTC)</th><th>Subject</th><th>To</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        if rows
        else "<p>No mail yet. A CRITICAL alert or a failed Airflow run sends one here.</p>"
    )
    return page("Mailbox", table, refresh=True)


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
    return page(
        mail.subject or "(no subject)",
        f'<p><a href="/">All mails</a></p><table>{rows}</table><pre>{linked(mail.text)}</pre>',
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
