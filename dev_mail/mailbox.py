"""Development mailbox: accept every mail by SMTP and show it on a web page.

Replaces a mail server, an SMS gateway and a chat service, so that messages can be read without
them. ``python -m dev_mail.mailbox`` listens on loopback and forwards nothing.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from dev_mail.mails import Mails
from dev_mail.page import pages
from dev_mail.text_messages import TextMessages
from dev_mail.text_pages import text_pages
from fraudwatch.settings import MailboxSettings

LOOPBACK = "127.0.0.1"
MAX_BYTES = 2_000_000
_ACCEPTED = "250 OK"


class MailHandler:
    """SMTP handler that stores each mail."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    async def handle_DATA(  # noqa: N802  aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Store a mail unchanged; an error while storing makes the server refuse it."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        await asyncio.to_thread(self._mails.add, raw)
        return _ACCEPTED


def create_app(mails: Mails, sms: TextMessages, chat: TextMessages, *, smtp_port: int) -> FastAPI:
    """Create the web page's app; the SMTP server runs in its lifespan."""

    @asynccontextmanager
    async def smtp_server(_app: FastAPI) -> AsyncIterator[None]:
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(MailHandler(mails), data_size_limit=MAX_BYTES, ident="mailbox"),
            LOOPBACK,
            smtp_port,
        )
        async with server:
            yield

    app = FastAPI(
        title="Mailbox", docs_url=None, redoc_url=None, openapi_url=None, lifespan=smtp_server
    )
    # Against DNS rebinding: a web page of another host name must not read the mails.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
    app.state.mails, app.state.sms, app.state.chat = mails, sms, chat
    app.include_router(pages)
    app.include_router(text_pages)
    return app


def main() -> None:
    """Run the mailbox on loopback."""
    argparse.ArgumentParser(prog="python -m dev_mail.mailbox", description=__doc__).parse_args()
    settings = MailboxSettings()
    app = create_app(
        Mails(settings.folder),
        *(TextMessages(settings.folder / f"{name}.jsonl") for name in ("sms", "chat")),
        smtp_port=settings.smtp_port,
    )
    uvicorn.run(
        app, host=LOOPBACK, port=settings.port, access_log=False, timeout_graceful_shutdown=2
    )


if __name__ == "__main__":
    main()
