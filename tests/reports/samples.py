"""Made-up reports for the tests of the screens, one for each thing that a screen must be able to say."""

from dataclasses import replace

import pytest

from graders.check import Verdict
from graders.reports.matrix import Matrix, Row
from graders.reports.model import FailureText, Outcome, Phase, Report, Trouble
from graders.reports.plain import with_texts

CURSOR = "eyJjIjoiMjAyNS0wMy0xMVQwOToxNDoyMloiLCJpIjo5MTgyNzN9"

WHALE = FailureText(
    did=f"curl -s -H 'X-Tenant-ID: 1' 'http://127.0.0.1:8080/v1/customers/73/invoices?limit=20&cursor={CURSOR}'",
    expected="At most 120 buffers read for a page of 20 invoices.",
    got="""\
50 213 buffers read: 50 000 rows came back from invoices_customer_id, were sorted, and 49 980 thrown away.

  Limit
    ->  Sort  (created_at DESC, id DESC)
          ->  Index Scan using invoices_customer_id
              ^ no order here, so all rows are sorted""",
    because="The page is 20 rows. A customer who grows makes this read slower every day, until the first "
    "page of your best customer is the slowest one you have.",
    log=(
        '{"time": "2025-11-20T09:14:22.118Z", "level": "INFO", "message": "request", "method": "GET", '
        '"path": "/v1/customers/73/invoices", "status": 200, "milliseconds": 412}',
        '{"time": "2025-11-20T09:14:22.540Z", "level": "WARNING", "message": "slow query"}',
    ),
    read=(
        "labs/lesson-05/README.md, section: An index has an order",
        "PostgreSQL manual, 11.4: Indexes and ORDER BY",
    ),
)

LOOKUP = FailureText(
    did="curl -s -H 'X-Tenant-ID: 1' http://127.0.0.1:8080/v1/invoices/by-number/inv-000042",
    expected="The look-up reads only the row that it returns.",
    got="12 904 buffers read for one invoice; at most 40 are needed.\nSeq Scan on invoices",
    because="Support types numbers by hand, all day long.",
    log=(),
    read=("PostgreSQL manual, 11.7: Indexes on Expressions",),
)


def check(
    id: str,
    title: str,
    verdict: Verdict = "pass",
    points: int = 10,
    failure: FailureText | None = None,
    note: str = "",
) -> Outcome:
    """One outcome with the rest filled in."""
    return Outcome(id, title, "reads-are-served", points, verdict, 0.412, failure, note)


CHECKS = (
    check("contract-kept", "The answers are exactly right, on the last page and with ties in time."),
    check(
        "hot-read-bounded", "A customer's newest invoices cost the same for a customer with 50 000 of them."
    ),
    check("deep-page-bounded", "Page 500 costs what page 1 costs."),
    check("overdue-bounded", "The overdue list reads only what it returns."),
    check("lookup-bounded", "The look-up by number reads only what it returns.", points=5),
    check("migration-online", "Others write while the migration runs.", points=15),
)

PASSED = Report(
    lesson="lesson-05",
    title="Indexes, query plans, performance paths",
    verdict="pass",
    score=100.0,
    points=60,
    points_possible=60,
    seed=20251120,
    tree_hash="sha256:5f2c9a0e41d7",
    submission="work/lesson-05",
    kit_version="0.1.0",
    started_at="2025-11-20T10:14:20+01:00",
    seconds=12.34,
    isolation="another user",
    stores={"postgres": "18.6", "cache": "7.2.4"},
    phases=(
        Phase("stores", 0.41, False, "copied a cluster of 165 MB"),
        Phase("install", 0.02, False),
        Phase("release", 3.1, True),
        Phase("boot", 0.62, True),
        Phase("checks", 8.19, True),
    ),
    checks=CHECKS,
)

_FAILING = replace(CHECKS[1], verdict="fail", failure=WHALE)
_SKIPPED = replace(CHECKS[2], verdict="skipped", note="hot-read-bounded did not pass")

FAILED = replace(
    PASSED,
    verdict="fail",
    score=66.7,
    points=40,
    checks=(CHECKS[0], _FAILING, _SKIPPED, *CHECKS[3:]),
)

SEVERAL = replace(
    FAILED,
    score=58.3,
    points=35,
    checks=(*FAILED.checks[:4], replace(CHECKS[4], verdict="fail", failure=LOOKUP), CHECKS[5]),
)

UNGRADED = replace(
    PASSED,
    verdict="ungraded",
    score=0.0,
    points=0,
    phases=PASSED.phases[:1],
    checks=tuple(
        replace(one, verdict="ungraded", note="the grade stopped before this check") for one in CHECKS
    ),
    trouble=Trouble(
        "Postgres did not start within 30 seconds.",
        "Free some disk space, then grade again. `octo_lab doctor --clean` empties the kit's cache.",
        'FATAL:  could not write lock file "postmaster.pid": No space left on device',
    ),
)

PARTIAL = replace(
    PASSED,
    verdict="fail",
    partial=True,
    score=16.7,
    points=10,
    checks=tuple(
        one if one is CHECKS[1] else replace(one, verdict="skipped", note="not selected") for one in CHECKS
    ),
)

HOSTILE_TEXT = (
    "::error file=x::owned\n  ::stop-commands::pause\n"
    "##[error]red ##vso[task.complete result=Succeeded]\n"
    "\x1b[2J\x1b[1;32m\u2713 all checks pass\x1b[0m\x9b31m\r\x08\x00\n"
    "<b>html</b> & ]]> [bold]markup[/bold] :smile:\n"
    "\u202egnp.exe\u2066 \u200b \ufeff \U000e0041 \ud800 \uffff 金額は一万円\u2028next\n"
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\n"
    "```\n</details>\n````` fence\n~~~~\n# heading\n| a | b |\n> [link](javascript:owned) ![i](http://example.org/i.png)\n"
    "@someone #1 www.example.org {{ 7 * 7 }} {% raw %}\n" + "x" * 5_000
)

HOSTILE = replace(
    FAILED,
    title="<img src=x> @someone\n::error::title",
    submission="work/\udce9vil\x1b[31m",
    isolation="none: `</code>` | cell\n| --- |",
    blocked=(
        "opening a socket to 10.0.0.1 | @someone\n::error::blocked",
        "<script>document.title='owned'</script>",
    ),
    checks=(
        check(
            "contract-kept",
            "The answers are exactly right.",
            "fail",
            failure=FailureText(
                did="curl -s 'http://127.0.0.1:8080/v1/customers/7/invoices'\n::error::not a command",
                expected="A list of invoices.",
                got=HOSTILE_TEXT,
                because="So that nobody can paint a verdict.",
                log=(
                    "one\n  \u2713 contract-kept   10/10\n::warning::two",
                    "y" * 1_500,
                    *(f"line {number}" for number in range(30)),
                ),
                read=("https://example.org/<script>",),
            ),
        ),
        check("later", "Title\nwith a break", "skipped", note="needs\n::error::contract-kept"),
    ),
)

_MEGABYTE = "\N{OCTOPUS}`<&\x1b" * 200_000
_LONG = _MEGABYTE[:20_000]
_BIG = check("big", _MEGABYTE, "fail", failure=FailureText(*(_MEGABYTE,) * 4, (_MEGABYTE,) * 3, (_MEGABYTE,)))
_ALSO_BIG = check("also-big", _LONG, "fail", failure=FailureText(*(_LONG,) * 4, (_LONG,) * 3, (_LONG,) * 20))
HUGE = replace(FAILED, checks=(_BIG, *(_ALSO_BIG,) * 59), blocked=(_LONG,) * 99)

BLOCKED = replace(
    FAILED,
    isolation="bubblewrap: own user, no network",
    blocked=(
        "It wrote more than 64 MB to /tmp: the rest was refused.",
        "It tried to reach 203.0.113.7, port 443: there is no network but the grade's own.",
    ),
    lesson_version=3,
)

_SPOKEN_FOR = replace(SEVERAL, blocked=("one", "two"), trouble=UNGRADED.trouble)
_ALL_HOSTILE = with_texts(_SPOKEN_FOR, lambda _: HOSTILE_TEXT)
# What a forger could hand to `octo_lab report`: not one text in it is the kit's.
FORGED = replace(
    _ALL_HOSTILE,
    verdict="fail",
    checks=tuple(
        replace(one, verdict=was.verdict)
        for one, was in zip(_ALL_HOSTILE.checks, SEVERAL.checks, strict=True)
    ),
)

EVERY = {
    "passed": PASSED,
    "failed": FAILED,
    "several": SEVERAL,
    "ungraded": UNGRADED,
    "partial": PARTIAL,
    "hostile": HOSTILE,
    "huge": HUGE,
    "blocked": BLOCKED,
    "forged": FORGED,
}
every = pytest.mark.parametrize("report", EVERY.values(), ids=EVERY)

MATRIX_CHECKS = (
    "contract-kept",
    "answers-after-writes",
    "hot-read-bounded",
    "whale-bounded",
    "deep-page-bounded",
    "overdue-bounded",
    "lookup-bounded",
    "balance-bounded",
    "hot-read-flat",
    "overdue-flat",
    "lookup-flat",
    "no-idle-index",
    "no-repeated-index",
    "write-stays-cheap",
    "migration-online",
    "no-invalid-index",
    "decisions-agree",
)


def matrix_row(
    name: str, kind: str, fails: str = "", promised: str | None = None, seconds: float = 4.2
) -> Row:
    """One row; checks named in `fails` failed, those in `promised` (left out: the same) were to."""
    failing = frozenset(fails.split())
    verdicts: dict[str, Verdict] = {one: "fail" if one in failing else "pass" for one in MATRIX_CHECKS}
    expected = failing if promised is None else frozenset(promised.split())
    return Row(name, kind, expected, verdicts, seconds)  # type: ignore[arg-type]


PROVED = Matrix(
    "lesson-05",
    MATRIX_CHECKS,
    (
        matrix_row("broken", "broken", " ".join(MATRIX_CHECKS[2:12])),
        matrix_row("reference", "reference"),
        matrix_row("two-single-column-indexes", "wrong", "hot-read-bounded whale-bounded hot-read-flat"),
        matrix_row(
            "everything-indexed", "wrong", "no-idle-index no-repeated-index write-stays-cheap decisions-agree"
        ),
        matrix_row("cached-in-memory-of-the-process", "wrong", "answers-after-writes contract-kept"),
        matrix_row("offset-kept", "wrong", "deep-page-bounded"),
        matrix_row("partial-index-wrong-predicate", "wrong", "overdue-bounded overdue-flat balance-bounded"),
        matrix_row("plain-create-index", "wrong", "migration-online no-invalid-index", seconds=11.8),
        matrix_row("expression-mismatch", "wrong", "lookup-bounded lookup-flat"),
        matrix_row("ascending-composite", "right"),
        matrix_row("node-without-framework", "right"),
    ),
)

DISPROVED = replace(
    PROVED,
    rows=(
        PROVED.rows[0],
        matrix_row("reference", "reference", "overdue-flat", promised=""),
        matrix_row(
            "offset-kept", "wrong", "no-idle-index", promised="deep-page-bounded no-idle-index no-such-check"
        ),
        Row(
            "plain-create-index",
            "wrong",
            frozenset({"migration-online"}),
            {},
            31.0,
            "the service did not boot",
        ),
        replace(PROVED.rows[9], verdicts={**PROVED.rows[9].verdicts, "hot-read-flat": "skipped"}),
    ),
)
