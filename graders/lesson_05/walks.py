"""Long walks through lists, recorded once and judged by several checks."""

from dataclasses import dataclass
from itertools import islice

from graders.lesson_05.population import Population
from graders.lesson_05.reads import Customer, Reads, walk
from graders.lesson_05.shapes import Invoice, Page
from graders.probes.postgres import Postgres

LIMIT = 100
SPARE_PAGES = 5

# A walk that reads this many buffers is cut short: its cost is a finding by itself, and waiting for it teaches nobody.
# All 500 pages of a design that reads only its rows take a tenth.
FUSE = 200_000
STRETCH = 20


@dataclass(frozen=True)
class LongWalk:
    """The pages of one customer's list. Not `complete`: cut short because of what it cost, or it did not end.

    `late_cost` is what each of the last pages took on average, in buffers.
    """

    customer: Customer
    pages: tuple[Page, ...]
    complete: bool
    late_cost: int = 0

    def items(self) -> list[Invoice]:
        return [item for page in self.pages for item in page.items]


def walk_whale(reads: Reads, postgres: Postgres, people: Population) -> LongWalk:
    """All pages of the largest customer's list, unless they cost too much."""
    whale = people.whale
    walker = walk(lambda cursor: reads.newest(whale, LIMIT, cursor), whale.invoices // LIMIT + SPARE_PAGES)
    pages: list[Page] = []
    costs: list[int] = []
    while sum(costs) <= FUSE:
        with postgres.observe() as seen:
            stretch = list(islice(walker, STRETCH))
        pages += stretch
        if len(stretch) < STRETCH:
            break
        costs.append(seen.buffers)
    late_cost = costs[-1] // STRETCH if costs else 0
    return LongWalk(whale, tuple(pages), pages[-1].next_cursor is None, late_cost)


def walk_all(reads: Reads, customer: Customer, limit: int) -> LongWalk:
    """All pages of a customer's list."""
    most = customer.invoices // limit + SPARE_PAGES
    pages = tuple(walk(lambda cursor: reads.newest(customer, limit, cursor), most))
    return LongWalk(customer, pages, complete=pages[-1].next_cursor is None)
