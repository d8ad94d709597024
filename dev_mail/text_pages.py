"""Local SMS gateway and chat webhook: what is posted is stored, and a page shows it."""

from __future__ import annotations

import html
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from dev_mail.html_page import linked, page
from dev_mail.text_messages import TextMessage, TextMessages

SHOWN = 100
MAX_CHARACTERS = 40_000

text_pages = APIRouter(default_response_class=HTMLResponse)


class Sms(BaseModel):
    """A text message, as a gateway receives it."""

    id: str = Field(max_length=64)
    to: str = Field(max_length=32)
    text: str = Field(max_length=MAX_CHARACTERS)


class ChatMessage(BaseModel):
    """A chat message, as an incoming webhook receives it."""

    text: str = Field(max_length=MAX_CHARACTERS)


def _sms(request: Request) -> TextMessages:
    messages: TextMessages = request.app.state.sms
    return messages


def _chat(request: Request) -> TextMessages:
    messages: TextMessages = request.app.state.chat
    return messages


StoredSms = Annotated[TextMessages, Depends(_sms)]
StoredChat = Annotated[TextMessages, Depends(_chat)]


@text_pages.post("/sms")
def receive_sms(message: Sms, messages: StoredSms) -> HTMLResponse:
    """Accept a text message."""
    messages.add(message.to, message.text)
    return HTMLResponse("ok")


@text_pages.post("/chat")
def receive_chat(message: ChatMessage, messages: StoredChat) -> HTMLResponse:
    """Accept a chat message, whose three special characters are escaped."""
    messages.add("", html.unescape(message.text))
    return HTMLResponse("ok")


@text_pages.get("/sms")
def list_sms(messages: StoredSms) -> HTMLResponse:
    """List the newest text messages; the page reloads itself."""
    empty = "No text message yet. A declined customer without a mail address gets one here."
    return page("Text messages", _table(messages.newest(SHOWN), "To", empty), refresh=True)


@text_pages.get("/chat")
def list_chat(messages: StoredChat) -> HTMLResponse:
    """List the newest chat messages; the page reloads itself."""
    empty = "No chat message yet. A CRITICAL alert sends one here."
    return page("Chat", _table(messages.newest(SHOWN), "", empty), refresh=True)


def _table(messages: list[TextMessage], recipient: str, empty: str) -> str:
    if not messages:
        return f"<p>{empty}</p>"
    head = f"<th>{recipient}</th>" if recipient else ""
    rows = "".join(
        f"<tr><td>{html.escape(one.received_at)}</td>"
        + (f"<td class=short>{html.escape(one.recipient)}</td>" if recipient else "")
        + f"<td><pre>{linked(one.text)}</pre></td></tr>"
        for one in messages
    )
    return (
        f"<table><thead><tr><th>Received (UTC)</th>{head}<th>Text</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )
