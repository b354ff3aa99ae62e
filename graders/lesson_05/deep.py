"""The five hundredth page of a long list against its first: a cursor says where to go on, not how much to skip."""

from graders.check import expect
from graders.lesson_05.bounds import cost_told, expect_read, expect_statements, measure, page_bound
from graders.lesson_05.reads import Reads
from graders.lesson_05.walks import LIMIT, STRETCH, LongWalk
from graders.probes.plans import grouped
from graders.probes.postgres import Postgres

PAGE = 500


def expect_deep_page(walked: LongWalk, reads: Reads, postgres: Postgres) -> None:
    """Hold page 500 to the bound of page 1; where the walk was given up before, the last page it came to."""
    expect(
        len(walked.pages) >= PAGE or not walked.complete,
        expected=f"A page {PAGE}: the customer has {grouped(walked.customer.invoices)} invoices.",
        got=f"the list ended on page {len(walked.pages)}",
        because="What comes after the end that was told is never seen by anybody.",
        did=walked.pages[-1].did,
    )
    at = min(len(walked.pages), PAGE)
    cursor = walked.pages[at - 1].cursor
    first = measure(postgres, "Page 1", lambda: reads.newest(walked.customer, LIMIT))
    deep = measure(postgres, f"Page {at}", lambda: reads.newest(walked.customer, LIMIT, cursor))
    expect_statements(deep)
    expect_read(deep)
    bound = page_bound(LIMIT)
    cheap = deep.seen.rows_read <= bound.rows and max(deep.seen.buffers, walked.late_cost) <= bound.buffers
    given_up = "" if at == PAGE else ".\nThere the walk was given up: it had cost what all 500 pages may"
    expect(
        cheap and at == PAGE,
        expected=f"Page {at} costs what page 1 may cost: {bound.rows} rows and {bound.buffers} buffers at most.",
        got=f"page {at}: {cost_told(deep.seen)}\n"
        f"page 1: {cost_told(first.seen)}\n"
        f"on the way, the last {STRETCH} pages took {grouped(walked.late_cost)} buffers each{given_up}.",
        because="An export walks every page. When each page costs what lies before it, "
        "ten times the invoices take a hundred times as long.",
        did=deep.did,
    )
