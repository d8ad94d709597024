"""HTML of the mailbox's pages: one style, strict headers, and links between the pages."""

from __future__ import annotations

import html
import re

from fastapi.responses import HTMLResponse

REFRESH_SECONDS = 10
_URL = re.compile(r"(https?://[^\s<>\"']+)")
_LINKS = '<nav><a href="/">Mails</a> · <a href="/sms">SMS</a> · <a href="/chat">Chat</a></nav>'
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
td:first-child,td.short{white-space:nowrap} td{overflow-wrap:anywhere} a{color:#0b5cad}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f6f8;padding:1rem;border-radius:.4rem}
@media(prefers-color-scheme:dark){body{color:#e6eaf0;background:#12161c}a{color:#7db7f5}
pre{background:#1d232c}td,th{border-color:#323b47}}
"""


def linked(text: str) -> str:
    """Escape the text and make links of its URLs."""
    pieces = _URL.split(text)  # every second piece is a URL
    return "".join(
        f'<a href="{html.escape(piece)}" rel="noreferrer">{html.escape(piece)}</a>'
        if index % 2
        else html.escape(piece)
        for index, piece in enumerate(pieces)
    )


def page(title: str, body: str, *, refresh: bool = False) -> HTMLResponse:
    """Return a page; all content is escaped by the caller."""
    name = html.escape(title)
    reload = f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">' if refresh else ""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}</title>{reload}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{name}</h1>{body}{_LINKS}</main></body></html>",
        headers=_HEADERS,
    )
