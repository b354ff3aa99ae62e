"""Money is a whole number of cents, and no sum of it ever overflows or is rounded."""

from collections.abc import Iterable

from billing.domain.errors import TotalOutOfRange

MAX_QUANTITY = 1_000_000
MAX_UNIT_PRICE_CENTS = 100_000_000_000
# Far below 2**53, the largest integer that every JSON reader keeps exact (RFC 8259, section 6).
MAX_TOTAL_CENTS = 1_000_000_000_000


def total(amounts: Iterable[tuple[int, int]]) -> int:
    """The sum of quantity times unit price, in cents. Raises TotalOutOfRange outside 1..MAX_TOTAL_CENTS."""
    cents = sum(quantity * unit_price_cents for quantity, unit_price_cents in amounts)
    if not 1 <= cents <= MAX_TOTAL_CENTS:
        raise TotalOutOfRange(f"The lines must add up to at least 1 and at most {MAX_TOTAL_CENTS} cents.")
    return cents
