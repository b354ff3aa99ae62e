"""What kind of body came."""

from fastapi import HTTPException, Request


async def json_sent(request: Request) -> None:
    """Most clients say what they send; those that say something else altogether are refused."""
    media_type = request.headers.get("Content-Type", "")
    if media_type.startswith(("application/xml", "image/", "multipart/")):
        raise HTTPException(415, "Send JSON.")
