"""What the processes count of themselves moves by exactly what happened, and by nothing else."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from graders.check import check, expect
from graders.lesson_08.calls import ENDINGS, Ordered
from graders.lesson_08.drill import CALLS, MAILS, MORE, OLD, OLDEST, QUEUED, TOLD_WITHIN, Unattended, oldest
from graders.lesson_08.holding import AT_ONCE, COUNT, ROUTE, Held
from graders.lesson_08.routes import UNMATCHED, of_route
from graders.lesson_08.waiting import until
from graders.lesson_08.world import World, at_worker
from graders.probes.api import Api, curl
from graders.probes.exposition import Page
from graders.probes.upstreams import Upstreams

REQUESTS, DURATION = "http_requests_total", "http_request_duration_seconds"
USED = 'db_pool_connections{state="used"}'
VERSION = "v1"
TYPES = {
    "web": {
        REQUESTS: "counter",
        DURATION: "histogram",
        "http_requests_in_flight": "gauge",
        "db_pool_connections": "gauge",
        "jobs_queued": "gauge",
        "jobs_oldest_queued_seconds": "gauge",
        "service_info": "gauge",
    },
    "worker": {
        CALLS: "counter",
        "upstream_request_duration_seconds": "histogram",
        "db_pool_connections": "gauge",
        "service_info": "gauge",
    },
}
BECAUSE_EXACT = "An alarm rings at a rate. Counted twice, or not at all, it rings for nothing, or not at all."
BECAUSE_SERIES = (
    "Each series is kept in memory, here and by the scraper, for weeks. With an id in a label there is one for each customer, "
    "and the night's first victim is the monitoring."
)
DID = curl("GET", "/metrics", {})


@check("metrics-read", needs=["contract-kept"])
def test_metrics_read(world: World) -> None:
    """Both processes tell their numbers in a form that a scraper reads, under the promised names and types."""
    world.charge(world.sent()["id"])
    world.all_ended()
    for process, page in (("web", world.page()), ("worker", world.worker_page())):
        wrong = [
            f"/metrics of {process}: {name} is a {page.type_of(name)}, not a {kind}"
            if page.type_of(name)
            else f"/metrics of {process}: no {name}"
            for name, kind in TYPES[process].items()
            if page.type_of(name) != kind
        ]
        if not wrong and page.total("service_info", version=VERSION) != 1:
            wrong = [f'/metrics of {process}: service_info{{version="{VERSION}"}} is not 1']
        expect(
            not wrong,
            expected=f"/metrics of `{process}` has what CONTRACT.md, Metrics, promises of it.",
            got="\n".join(wrong),
            because="Graphs and alarms are written once, for all services, by these names.",
            did=at_worker(page.did) if process == "worker" else page.did,
        )


@check("requests-counted", needs=["metrics-read"])
@pytest.mark.usefixtures("worker_ahead")
def test_requests_counted(world: World) -> None:
    """Each request is counted once, by template, method and status; who watches is not counted."""
    customer = world.customer()
    before = _settled(world)
    one, listed = "/v1/customers/{customer_id}", "/v1/customers"
    wanted: dict[tuple[str, str, str], int] = {}
    for method, path, route, times in (
        ("GET", f"/v1/customers/{customer}", one, 3),
        ("GET", "/v1/customers/999999999", one, 2),
        ("HEAD", f"/v1/customers/{customer}", one, 2),
        ("GET", "/v1/customers?limit=1", listed, 2),
        ("POST", listed, listed, 2),
        ("GET", "/v1/nowhere", UNMATCHED, 3),
    ):
        for watched in ("/livez", "/readyz", "/metrics"):
            world.api.get(watched)
        for _ in range(times):
            answer = world.send(method, path, {"name": "", "email": "x"} if method == "POST" else None)
            key = (method, route, str(answer.status))
            wanted[key] = wanted.get(key, 0) + 1
    name = f"Embargo {world.word()}"
    failed = world.send("POST", listed, {"name": name, "email": "bo@example.org"})
    wanted["POST", listed, str(failed.status)] = 1
    total = sum(wanted.values())
    after = _settled(world, lambda page: page.total(REQUESTS) >= before.total(REQUESTS) + total)
    wrong = [
        f"requests +{grown:.0f}, not +{number}: {method} {route} {status}"
        for (method, route, status), number in wanted.items()
        if (grown := _grown(before, after, route, method=method, status=status)) != number
    ]
    grown = after.total(REQUESTS) - before.total(REQUESTS)
    if not wrong and grown != total:
        wrong = [f"requests +{grown:.0f} in all, not +{total}"]
    expected = f"Each of the requests is counted once in {REQUESTS}, by its method, template and status, and nothing else is."
    _expect_right(wrong, expected)


def _grown(before: Page, after: Page, route: str, **labels: str) -> float:
    return of_route(after, REQUESTS, route, **labels) - of_route(before, REQUESTS, route, **labels)


def _settled(world: World, wanted: Callable[[Page], bool] = lambda _: True) -> Page:
    """The page once it is as wanted and has stopped to move: what was counted late has been counted."""
    last = until(world.page, wanted, TOLD_WITHIN)
    while (now := _a_moment_later(world)).total(REQUESTS) != last.total(REQUESTS):
        last = now
    return now


def _a_moment_later(world: World) -> Page:
    time.sleep(0.1)
    return world.page()


def _expect_right(wrong: Sequence[str], expected: str, because: str = BECAUSE_EXACT, did: str = DID) -> None:
    expect(not wrong, expected=expected, got="\n".join(wrong), because=because, did=did)


@check("series-bounded", needs=["metrics-read"])
def test_series_bounded(world: World) -> None:
    """A thousand different ids, paths, methods and names make no more series."""
    customer = world.customer()
    strange = ["PURGE", "PROPFIND", "LINK"]
    _all(world, [*_variants(world, customer, 1), *[(method, "/v1/customers") for method in strange]])
    before = _settled(world)
    requests = _variants(world, customer, 25)
    _all(world, [*requests, *[(f"X{world.word().upper()}", "/v1/customers") for _ in range(20)]])
    after = _settled(world, lambda page: page.total(REQUESTS) >= before.total(REQUESTS) + len(requests))
    counted, more = after.total(REQUESTS) - before.total(REQUESTS), after.series() - before.series()
    expect(
        counted >= len(requests),
        expected=f"{len(requests)} requests are counted.",
        got=f"requests +{counted:.0f}, not +{len(requests)} ({REQUESTS})",
        because=BECAUSE_EXACT,
        did=DID,
    )
    expect(
        more <= 8,
        expected=f"{len(requests)} requests with different ids, names and paths, and /metrics has as many lines as before.",
        got=f"/metrics: {more} lines more after {len(requests)} requests\n{_newest(before, after)}",
        because=BECAUSE_SERIES,
        did=DID,
    )


def _variants(world: World, customer: str, number: int) -> list[tuple[str, str]]:
    """Requests of four kinds; so many of each, all different."""
    found = []
    for at in range(number):
        found += [
            ("GET", f"/v1/customers/{10**9 + world.draw.randrange(10**8)}"),
            ("GET", f"/v1/invoices/by-number/{world.word()}"),
            ("GET", f"/{world.word()}/{world.word()}"),
            ("GET", f"/v1/customers/{customer}?limit={at}&{world.word()}=1"),
        ]
    return found


def _all(world: World, requests: Sequence[tuple[str, str]]) -> None:
    """Send all of them, on a few connections. A server may refuse a method that it has never heard of as it likes."""

    def some(api: Api, part: Sequence[tuple[str, str]]) -> None:
        for method, path in part:
            world.send(method, path, api=api)

    with ThreadPoolExecutor(4) as threads:
        parts = [threads.submit(some, world.new_client(), requests[at::4]) for at in range(4)]
    for part in parts:
        part.result()


def _newest(before: Page, after: Page) -> str:
    old = {(one.name, tuple(sorted(one.labels.items()))) for one in before.samples}
    new = [one for one in after.samples if (one.name, tuple(sorted(one.labels.items()))) not in old]
    return "\n".join(f"{one.name}{dict(one.labels)}"[:120] for one in new[:3])


@check("in-flight-seen", needs=["metrics-read"])
def test_in_flight(seen_held: Held) -> None:
    """What is being answered at this moment is told: requests in flight, and the connections that they have."""
    flying = [page.total("http_requests_in_flight") for page in (seen_held.while_held, seen_held.after)]
    used = seen_held.while_held.total("db_pool_connections", state="used")
    left = seen_held.after.total("db_pool_connections", state="used")
    told = [
        ("http_requests_in_flight", flying, (AT_ONCE,), (0,)),
        # A scrape may have a connection of its own at that moment.
        (USED, (used, left), (seen_held.waiting, seen_held.waiting + 1), (0, 1)),
    ]
    wrong = [
        f"{name}: {number:.0f} {when}, not {allowed[0]}"
        for name, numbers, *right in told
        for when, number, allowed in zip(("meanwhile", "afterwards"), numbers, right, strict=True)
        if number not in allowed
    ]
    _expect_right(
        wrong,
        f"{AT_ONCE} requests wait for a lock, each with a connection: {AT_ONCE} in flight, {seen_held.waiting} used; afterwards 0 and 0.",
        "A service that is stuck answers nothing, so nothing is counted. What is in flight and in use is all there is to see.",
        seen_held.did,
    )


@check("durations-measured", needs=["metrics-read"])
def test_durations(seen_held: Held) -> None:
    """How long requests took is measured in seconds, by template, to the end of the answer."""
    count = of_route(seen_held.after, COUNT, ROUTE) - of_route(seen_held.before, COUNT, ROUTE)
    name = f"{DURATION}_sum"
    took = of_route(seen_held.after, name, ROUTE) - of_route(seen_held.before, name, ROUTE)
    least, most = AT_ONCE * seen_held.seconds, AT_ONCE * seen_held.whole
    wrong = [
        *([] if count == AT_ONCE else [f"{COUNT}: +{count:.0f}, not +{AT_ONCE}"]),
        *([] if least * 0.99 <= took <= most * 1.01 else [f"{name}: +{took:.3f} s, too {_far(took, least)}"]),
    ]
    _expect_right(
        wrong,
        f"{AT_ONCE} requests were held up for {seen_held.seconds:.1f} s each: of {ROUTE} {DURATION} grows by {AT_ONCE} in number and "
        f"by {least:.1f} to {most:.1f} in sum.",
        "Slow is the new down. In other units, or without the time spent waiting, nobody sees it.",
        seen_held.did,
    )


def _far(took: float, least: float) -> str:
    return "little" if took < least else "much"


@check("upstream-measured", needs=["metrics-read"])
def test_upstream_measured(world: World, upstreams: Upstreams, ordered_calls: Ordered) -> None:
    """Each call to an upstream is counted by how it ended."""
    upstreams.payments.await_calls(ordered_calls.number, 4)
    world.all_ended()

    def grown(page: Page, name: str, **labels: str) -> float:
        return page.total(name, **labels) - ordered_calls.before.total(name, **labels)

    after = until(world.worker_page, lambda page: grown(page, CALLS) >= sum(ENDINGS.values()), TOLD_WITHIN)
    wrong = [
        f"calls to {upstream}, {outcome}: +{found:.0f}, not +{number}"
        for (upstream, outcome), number in ENDINGS.items()
        if (found := grown(after, CALLS, upstream=upstream, outcome=outcome)) != number
    ]
    for upstream, number in (("payments", 4), ("mail", 3)):
        calls = grown(after, "upstream_request_duration_seconds_count", upstream=upstream)
        if calls != number:
            wrong.append(f"calls to {upstream}, their duration: +{calls:.0f}, not +{number}")
    _expect_right(
        wrong,
        "A charge was answered with 429, cut off, answered with 503 and then done: four calls to payments. One mail was done at once, another "
        f"answered with 500 and then with 404: three calls to mail. Each is counted by how it ended in {CALLS}, and in "
        "upstream_request_duration_seconds.",
        "Was it them or us? This is the number that answers it.",
        at_worker(DID),
    )


@check("queue-measured", needs=["metrics-read"])
def test_queue_measured(seen_unattended: Unattended) -> None:
    """How much waits, and for how long already, is told by kind, whoever is to do it."""
    seen, aged, least = seen_unattended.abandoned, seen_unattended.aged, OLD
    empty = seen_unattended.empty
    waiting = [int(seen.full.total(QUEUED, kind=kind)) for kind in ("mail", "charge", "report")]
    age, most = oldest(aged.page, "mail"), aged.seconds + 2.0
    named = (
        (seen.quiet.total(QUEUED) == 0, f"{QUEUED} before any order: {seen.quiet.total(QUEUED):.0f}, not 0"),
        (waiting == [MAILS, MORE, 0], f"{QUEUED} of mail, charge, report: {waiting}, not {[MAILS, MORE, 0]}"),
        (least <= age <= most, f"{OLDEST} of mail: {age:.1f}, not {least:.0f} to {most:.1f}"),
        (oldest(aged.page, "report") == 0, f"{OLDEST} of report: not 0"),
        (empty.total(QUEUED) == 0, f"{QUEUED} when all was done: {empty.total(QUEUED):.0f}, not 0"),
        (oldest(empty, "mail") == 0, f"{OLDEST} when all was done: not 0"),
    )
    _expect_right(
        [told for right, told in named if not right],
        f"No worker runs, {MAILS} mails and {MORE} charges are ordered: {QUEUED} is {MAILS} and {MORE}; soon the eldest mail is {least:.0f} to "
        f"{most:.1f} s old. When a worker has done them, all are 0.",
        "How many wait says little: a thousand that wait for a second are well. One that has waited since midnight is not.",
    )
