"""Who asks for what this service does not speak is told so, before anything is done (RFC 9110, sections 12 and 15.5.16)."""

from fastapi import HTTPException, Request

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


async def json_wanted(request: Request) -> None:
    """Refuse a caller that would not take JSON (406)."""
    accept = ",".join(request.headers.getlist("Accept"))
    if accept.strip() and not takes_json(accept):
        raise HTTPException(406, "This service answers with application/json only.")


def takes_json(accept: str) -> bool:
    """Whether an Accept header lets application/json through."""
    return takes(accept, JSON)


def takes(accept: str, media_type: str) -> bool:
    """Whether an Accept header lets the type through: its most specific range decides, and q=0 says no."""
    weights = {}
    for item in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        weights[media_range] = not any(_is_zero(parameter) for parameter in parameters)
    fitting = (
        weights[media_range]
        for media_range in (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
        if media_range in weights
    )
    return next(fitting, False)


def _is_zero(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return name.strip() == "q" and value.strip().rstrip("0").rstrip(".") in ("", "0")


async def json_sent(request: Request) -> None:
    """Refuse a body that does not say it is JSON (415)."""
    _expect_type(request, JSON)


async def merge_patch_sent(request: Request) -> None:
    """Refuse a patch that is no merge patch; Accept-Patch says what would do (RFC 5789, section 2.2)."""
    _expect_type(request, MERGE_PATCH, {"Accept-Patch": MERGE_PATCH})


def _expect_type(request: Request, wanted: str, headers: dict[str, str] | None = None) -> None:
    media_type = ",".join(request.headers.getlist("Content-Type")).partition(";")[0].strip().lower()
    if media_type != wanted:
        raise HTTPException(415, f"Send a body of Content-Type {wanted}.", headers)
