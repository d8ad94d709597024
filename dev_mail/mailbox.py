"""A mailbox on this machine: takes every mail that is sent to it and shows them on a page.

Stands for a person's mail server, so that a failure's mail can be seen without one. ``python -m
dev_mail.mailbox`` listens on loopback and delivers nothing anywhere.
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
from fraudwatch.settings import MailboxSettings

LOOPBACK = "127.0.0.1"
MOST_BYTES = 2_000_000
_TAKEN = "250 taken"


class Taking:
    """What the SMTP side does with a mail."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    async def handle_DATA(  # noqa: N802  aiosmtpd finds it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep it as it came; a mail that cannot be kept is refused by the error it raises."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        await asyncio.to_thread(self._mails.keep, raw)
        return _TAKEN


def create_app(mails: Mails, *, smtp_port: int) -> FastAPI:
    """The page, and beside it, for as long as the page lives, the SMTP server."""

    @asynccontextmanager
    async def taking(_app: FastAPI) -> AsyncIterator[None]:
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(Taking(mails), data_size_limit=MOST_BYTES, ident="mailbox"),
            LOOPBACK,
            smtp_port,
        )
        async with server:
            yield

    app = FastAPI(title="Mailbox", docs_url=None, redoc_url=None, openapi_url=None, lifespan=taking)
    # A page of somebody else's name that points here must not read what is written here.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
    app.state.mails = mails
    app.include_router(pages)
    return app


def main() -> None:
    """Take mails and show them, on this machine."""
    argparse.ArgumentParser(prog="python -m dev_mail.mailbox", description=__doc__).parse_args()
    settings = MailboxSettings()
    app = create_app(Mails(settings.folder), smtp_port=settings.smtp_port)
    uvicorn.run(
        app, host=LOOPBACK, port=settings.port, access_log=False, timeout_graceful_shutdown=2
    )


if __name__ == "__main__":
    main()
