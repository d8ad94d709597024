"""Read the messages of a request: one, or a list of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool

from fraudwatch.adapters.codecs.submitted import (
    Submitted,
    TooManyMessages,
    messages_of,
    read_messages,
)
from fraudwatch.adapters.http.body import read_capped

Content = TypeVar("Content")
LARGEST_BATCH: Final = 1_000
LARGEST_BODY_BYTES: Final = 4 * 1024 * 1024


async def read_contents(
    request: Request, reader: Callable[[Any], Submitted[Content]], *, is_strict: bool
) -> list[Submitted[Content]]:
    """Read the body, and note how many messages it has for the key's quota.

    Raises:
        HTTPException: 413, it has too many bytes or messages.
        Refused: it is no JSON.
        RefusedBatch: some of its messages are refused.
    """
    body = await read_capped(request, LARGEST_BODY_BYTES)
    try:
        messages = await run_in_threadpool(messages_of, body, largest_batch=LARGEST_BATCH)
    except TooManyMessages:
        raise HTTPException(413, f"send at most {LARGEST_BATCH} in one call") from None
    request.state.messages = len(messages)
    return await run_in_threadpool(read_messages, reader, messages, is_strict=is_strict)
