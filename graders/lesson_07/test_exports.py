"""An export leaves as it is read: complete, as of one moment, with flat memory, and nothing goes on for who has left."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import pytest

from graders.check import CannotJudge, Failure, check, expect
from graders.lesson_07.answers import named, with_status
from graders.lesson_07.exported import BIG, MANY, PATH, export, lines, rest
from graders.lesson_07.waiting import eventually
from graders.lesson_07.world import World
from graders.probes.api import SHOWN_AS, Api
from graders.probes.memory import Peak, watched
from graders.probes.postgres import psql
from graders.probes.service import Operated, Process

MIB = 1024**2
# A heap grows before it is collected: 45 to 50 MiB in Node, a thousand rows at a time. All rows at once are 96 there.
MOST_GROWTH = 80 * MIB
STALLED = 0.5  # seconds without a byte
LEAVERS = 12
BECAUSE_LEFT = "Each holds one of few connections and keeps Postgres from cleaning up."
DID = f"curl -s -H 'X-Tenant-ID: {BIG}' {SHOWN_AS}{PATH}"
ROWS: LiteralString = """
    SELECT id::text, customer_id::text, number, status, currency::text, total_cents::text, paid_cents::text,
           coalesce(due_on::text, ''), created_at
    FROM public.invoices WHERE tenant_id = %s ORDER BY id
"""
ENDS: LiteralString = "SELECT count(*), min(id), max(id) FROM public.invoices WHERE tenant_id = %s"
CHANGE: LiteralString = """
    UPDATE public.invoices SET total_cents = total_cents + 1 WHERE id IN (%s, %s) RETURNING id, total_cents
"""
OPEN: LiteralString = """
    SELECT pid FROM pg_stat_activity WHERE usename = 'billing_app' AND xact_start BETWEEN %s AND %s
"""


@dataclass(frozen=True)
class BigExport:
    """One whole export of the big tenant, with a change to its first and last invoice while it was under way."""

    count: int
    ends: tuple[int, int]
    now: Mapping[int, int]
    body: bytes
    peak: Peak


@pytest.fixture(scope="session")
def big(whole_world: World, service: Operated) -> BigExport:
    url, web = service.web("billing"), service.processes("web")
    if not web:
        raise CannotJudge("The web process is gone.", "Grade again.")
    [(count, first, last)] = whole_world.rows(ENDS, [BIG])
    with watched(web[0].resident) as peak, export(url, BIG) as answer:
        begun = answer.read(2000)
        changed = whole_world.write(CHANGE, [first, last])
        body = rest(answer, begun)
    return BigExport(count, (first, last), dict(changed), body, peak)


@check("export-complete", needs=["contract-kept"])
def test_complete(world: World, service: Operated, big: BigExport) -> None:
    """An export has every invoice of the tenant and no other, by id, in CSV, as of one moment."""
    customer = world.customer()
    made = [world.invoice(status, customer=customer) for status in ("draft", "sent", "void", "sent")]
    world.write(
        "UPDATE public.invoices SET number = number || %s WHERE id = %s RETURNING id", [',"ü"; x', made[1].id]
    )
    with export(service.web("billing"), world.tenant) as answer:
        got = lines(rest(answer))
    wanted = [[*row[:8], row[8]] for row in world.rows(ROWS, [world.tenant])]
    expect(
        len(got) == len(wanted) + 1
        and all(_same(line, row) for line, row in zip(got[1:], wanted, strict=True)),
        expected=f"A header, and {len(wanted)} lines that say what the rows say.",
        got="\n".join([f"the export has {len(got)} lines:", *(",".join(line) for line in got[:6])]),
        because="People put these files into their books.",
        did=f"curl -s -H 'X-Tenant-ID: 1' {SHOWN_AS}{PATH}",
    )
    _expect_one_moment(big)


def _same(line: list[str], row: list[Any]) -> bool:
    try:
        return line[:8] == row[:8] and datetime.fromisoformat(line[8]) == row[8] and len(line) == 9
    except (ValueError, IndexError, TypeError):
        return False


def _expect_one_moment(big: BigExport) -> None:
    count, (first, last), now = big.count, big.ends, big.now
    expect(
        count == MANY,
        expected=f"Tenant {BIG} has the {MANY} invoices that it had before the release.",
        got=f"{count} invoices in the table",
        because="A release that loses rows is an outage that no rollback ends.",
        did=psql("SELECT tenant_id, count(*) FROM invoices GROUP BY 1"),
    )
    got = lines(big.body)[1:]
    ids = [int(line[0]) for line in got if line and line[0].isdigit()]
    expect(
        len(ids) == len(got) == count and ids == sorted({*ids}),
        expected=f"{count} lines, by id ascending, each once.",
        got=f"the export: {len(got)} lines, {len({*ids})} different ids",
        because="A line that is missing from the books is found by the auditor.",
        did=f"{DID} | wc -l",
    )
    new = [int(got[at][5]) == now[id] for at, id in ((0, first), (-1, last))]
    expect(
        new[0] == new[1],
        expected="All lines are as of one moment: a change in the middle is in all of them or in none.",
        got="the first line and the last one are of different moments",
        because="Sums over a file that is of two moments are of no moment at all.",
        did=f"{DID} >/tmp/export.csv   # and change the newest invoice meanwhile",
    )


@check("export-streams", needs=["export-complete"])
def test_streams(world: World, odd_one: Process, big: BigExport) -> None:
    """The first bytes come before the last rows are read, and memory does not grow with the number of rows."""
    _expect_early(world, odd_one.url, len(big.body))
    whole, peak = len(big.body), big.peak
    expect(
        peak.growth < MOST_GROWTH,
        expected=f"Of {whole // MIB} MB, memory takes a small part: below {MOST_GROWTH // MIB} MB more than before.",
        got=f"memory of `web`: {peak.growth // MIB} MB more during one export",
        because="Five exports at once, and the process is ended for its memory, with all requests that it had.",
        did=f"{DID} >/tmp/export.csv   # and watch the process with top",
    )


def _expect_early(world: World, url: str, whole: int) -> None:
    """With Postgres silent from the first byte on, no more comes than what was under way, however long that takes."""
    with export(url, BIG) as answer:
        answer.read(100)
        with world.gates.postgres.hold():
            try:
                while answer.received < whole // 2 and answer.read_within(STALLED):
                    pass
            except TimeoutError:
                return
            expect(
                False,
                expected="The first bytes come while most rows are still to be read: with Postgres silent from then on, the export stalls.",
                got=f"{answer.received // 1000} of {whole // 1000} kB came with Postgres silent: read before they were sent",
                because="Callers and proxies give up after a minute without a byte, and whoever has read it all has all of it in memory.",
                did=f"{DID} | head -c 100; time it",
            )


@check("export-left", needs=["export-streams"])
def test_left(world: World, client: Callable[[str], Api], odd_one: Process) -> None:
    """When the caller leaves, the query ends, and its connection is there for others."""
    try:
        _expect_left(world, odd_one.url, client(odd_one.url))
    finally:
        odd_one.kill()  # with all that it still has open


def _expect_left(world: World, url: str, api: Api) -> None:
    [(begun,)] = world.postgres.catalog("SELECT clock_timestamp()")
    # One is refused where those before it still hold what it needs; what they hold is seen below.
    with suppress(Failure):
        for _ in range(LEAVERS):
            with export(url, BIG) as answer:
                answer.read(100)
    [(left,)] = world.postgres.catalog("SELECT clock_timestamp()")
    gone = eventually(lambda: not world.postgres.catalog(OPEN, [begun, left]), 15.0)
    did = f"for i in $(seq {LEAVERS}); do {DID} | head -c 100 >/dev/null; done; {DID.replace(PATH, '/v1/customers')}"
    expect(
        gone,
        expected="Soon after the caller has left, no transaction of the export is open.",
        got=f"{len(world.postgres.catalog(OPEN, [begun, left]))} transactions of exports still open after 15 s",
        because=BECAUSE_LEFT,
        did=did,
    )
    what = "GET /v1/customers after callers left"
    with named(what, BECAUSE_LEFT, did):
        with_status(api.get("/v1/customers", tenant=BIG), 200, what, BECAUSE_LEFT)
