"""The body of a request, in memory and capped."""

from fastapi import HTTPException, Request


async def read_body(request: Request, most_bytes: int, what: str) -> bytes:
    """Return the whole body. Raises 413."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise HTTPException(413, f"{what} has at most {most_bytes} bytes")
    return bytes(body)
