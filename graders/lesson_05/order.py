"""Lists held against the oracle's: who is in them, in which order, and where they end."""

from collections.abc import Sequence

from graders.check import expect, fail
from graders.lesson_05.differences import first_difference
from graders.lesson_05.oracle import Oracle
from graders.lesson_05.reads import Customer, Reads
from graders.lesson_05.shapes import Invoice, Page
from graders.lesson_05.walks import LongWalk

ORDER = (
    "Newest first by created_at; where two have the same created_at, the larger id first; "
    "every invoice once, to the end of the list."
)


def expect_order(walked: LongWalk, oracle: Oracle) -> None:
    """The pages that were walked; the end of the list too, where the walk came to it."""
    got = walked.items()
    right = oracle.newest(walked.customer)
    difference = first_difference(right if walked.complete else right[: len(got)], got, "newest")
    if difference:
        at, page = _page_of(walked.pages, difference.row)
        fail(
            expected=ORDER,
            got=f"page {at}, {difference}",
            because="Rows that may change places between two requests: one is shown twice, another never.",
            did=page.did,
        )


def expect_end(reads: Reads, customer: Customer, oracle: Oracle) -> None:
    """A page that holds exactly the rest of the list is the last one."""
    page = reads.newest(customer, limit=len(oracle.newest(customer)))
    expect(
        page.next_cursor is None,
        expected=f"next_cursor null: all {len(page.items)} invoices of the customer are on this page.",
        got=f"next_cursor {page.next_cursor!r}, though nothing follows",
        because="Wherever there is a cursor, people see a `more` button. This one leads to an empty page.",
        did=page.did,
    )


def expect_overdue(right: Sequence[Invoice], got: Sequence[Invoice], pages: Sequence[Page]) -> None:
    difference = first_difference(right, got, "overdue")
    if difference:
        _, page = _page_of(pages, difference.row)
        fail(
            expected="The tenant's sent invoices whose due_on lies before as_of, by due_on, then by id.",
            got=str(difference),
            because="The collections desk works through this list from the top. Who is missing is never called.",
            did=page.did,
        )


def _page_of(pages: Sequence[Page], row: int) -> tuple[int, Page]:
    """The number of the page that holds the row, and the page; the last one for rows past the end."""
    before = 0
    for number, page in enumerate(pages, 1):
        before += len(page.items)
        if row <= before:
            return number, page
    return len(pages), pages[-1]
