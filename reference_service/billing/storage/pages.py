"""A page costs what it holds: a list reads its rows and one more, which tells whether a page follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Position = TypeVar("Position")


@dataclass(frozen=True)
class Page(Generic[Item, Position]):
    """Some items in order, and the position to go on after; None on the last page."""

    items: Sequence[Item]
    next: Position | None


def page_of(rows: Sequence[Item], limit: int, position: Callable[[Item], Position]) -> Page[Item, Position]:
    """The page that `limit + 1` rows make; `position` says where in the order an item stands."""
    items = rows[:limit]
    return Page(items, position(items[-1]) if len(rows) > limit else None)
