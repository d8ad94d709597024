"""Read request bodies up to a limit, counted while they arrive.

A declared length is a claim: a chunked body has none, or one that is too small.
"""

from __future__ import annotations

from fastapi import HTTPException, Request

_TOO_LARGE = "send at most {} bytes in one call; nothing of it was accepted"


async def read_capped(request: Request, largest_bytes: int) -> bytes:
    """Read the body, of which at no time more than the limit and one chunk is in memory.

    Raises:
        HTTPException: 413, the body is larger.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > largest_bytes:
        raise HTTPException(413, _TOO_LARGE.format(largest_bytes))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest_bytes:
            raise HTTPException(413, _TOO_LARGE.format(largest_bytes))
    return bytes(body)
