"""A cursor holds a place in an order, so a page is found by going there and not by counting up to it."""

import base64
from typing import Generic, TypeVar

from pydantic import TypeAdapter

Position = TypeVar("Position")

MAX_BIGINT = 2**63 - 1


class BadCursor(Exception):
    """The cursor was not given out by this list."""

    def __init__(self) -> None:
        super().__init__("This is no cursor of this list. Send the next_cursor of the page before.")


class Cursors(Generic[Position]):
    """The cursors of one list; its positions are dataclasses. JSON in base64url, opaque to everyone else."""

    def __init__(self, kind: type[Position]) -> None:
        self.adapter = TypeAdapter(kind)

    def encode(self, position: Position | None) -> str | None:
        """The cursor to go on after the position; None where no page follows."""
        if position is None:
            return None
        return base64.urlsafe_b64encode(self.adapter.dump_json(position)).decode().rstrip("=")

    def decode(self, cursor: str | None) -> Position | None:
        """The position to go on after; None says to begin at the beginning. Raises BadCursor."""
        if cursor is None:
            return None
        padding = "=" * (-len(cursor) % 4)
        try:
            content = base64.b64decode(cursor + padding, altchars="-_", validate=True)
            position = self.adapter.validate_json(content, strict=True)
        except ValueError:
            raise BadCursor from None
        if any(isinstance(value, int) and abs(value) > MAX_BIGINT for value in vars(position).values()):
            raise BadCursor
        return position
