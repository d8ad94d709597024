from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import HTTPException, Request

from fraudwatch.adapters.http.body import read_capped

LARGEST = 100


class Sender:
    """A client that sends the same chunk for ever, or a few."""

    def __init__(self, chunk: bytes, chunks: int | None = None) -> None:
        self.chunk, self.chunks = chunk, chunks
        self.sent = 0

    async def receive(self) -> dict[str, Any]:
        self.sent += 1
        is_more = self.chunks is None or self.sent < self.chunks
        return {"type": "http.request", "body": self.chunk, "more_body": is_more}


def read(sender: Sender, headers: list[tuple[bytes, bytes]]) -> bytes:
    request = Request({"type": "http", "method": "POST", "headers": headers}, sender.receive)
    return asyncio.run(read_capped(request, LARGEST))


def test_a_body_of_the_limit_is_read_with_and_without_a_length() -> None:
    for headers in ([], [(b"content-length", b"100")]):
        assert read(Sender(b"x" * 50, 2), headers) == b"x" * 100


@pytest.mark.parametrize(
    "headers",
    [
        [(b"transfer-encoding", b"chunked")],
        # A declared length says nothing of a chunked body.
        [(b"transfer-encoding", b"chunked"), (b"content-length", b"10")],
    ],
)
def test_an_endless_body_is_read_up_to_the_limit_and_no_further(
    headers: list[tuple[bytes, bytes]],
) -> None:
    sender = Sender(b"x" * 30)
    with pytest.raises(HTTPException) as refused:
        read(sender, headers)
    assert refused.value.status_code == 413
    assert sender.sent == 4


@pytest.mark.parametrize("declared", [b"101", b"9" * 5_000])
def test_a_body_that_declares_too_much_is_not_read_at_all(declared: bytes) -> None:
    sender = Sender(b"x")
    with pytest.raises(HTTPException):
        read(sender, [(b"content-length", declared)])
    assert sender.sent == 0


def test_a_broken_length_is_no_length() -> None:
    assert read(Sender(b"x", 1), [(b"content-length", b"ten")]) == b"x"
