"""The business says no in few ways, and each has a name; `http/` turns each into one kind of answer."""

from typing import Literal

Reason = Literal["wrong-status", "overpayment", "number-taken", "customer-has-invoices"]


class NotFound(Exception):
    """There is no such thing, or it is another tenant's: a caller can't tell the two apart, and must not."""

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}.")


class Refused(Exception):
    """The request is well formed, but the present state of things does not allow it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class KeyReused(Exception):
    """The idempotency key stands for another request already."""

    def __init__(self) -> None:
        super().__init__("This key came with another request before. Use a new key for each new request.")


class TotalOutOfRange(Exception):
    """The lines of an invoice add up to nothing, or to more than this service promises to count."""
