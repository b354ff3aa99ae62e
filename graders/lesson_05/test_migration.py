"""A migration runs on a table in use: others go on writing, and what it leaves behind is whole."""

from graders.check import check, expect
from graders.lesson_05.planner import meddled_settings
from graders.lesson_05.usage import Usage
from graders.probes.indexes import all_indexes
from graders.probes.migration import Rehearsal
from graders.probes.postgres import Postgres


@check("migration-online")
def test_online(rehearsal: Rehearsal) -> None:
    """While the migration runs, others can write to the table."""
    did = "psql: BEGIN; UPDATE invoices SET paid_cents = paid_cents WHERE id = 1;   -- leave it open, and run the release"
    expect(
        rehearsal.exit_code == 0,
        expected="the release ends with code 0 while others write to invoices",
        got=f"it ended with code {rehearsal.exit_code}\n{rehearsal.output[-600:]}",
        because="A release that works only while nobody works can't be deployed by day.",
        did=did,
    )
    shut_out = rehearsal.shut_out
    if shut_out:
        expect(
            False,
            expected="writers get their rows while the release runs, however long it takes",
            got=f"{shut_out.statement}\n  {shut_out.lock}.\n{shut_out.meaning}",
            because="On the real table that lasts as long as the build: every payment that comes in meanwhile hangs.",
            did=did,
        )


@check("no-invalid-index")
def test_valid(postgres: Postgres) -> None:
    """The migration leaves no invalid index behind."""
    invalid = [index for index in all_indexes(postgres) if not index.valid]
    expect(
        not invalid,
        expected="every index that exists is valid",
        got="\n".join(f"{index.name} on {index.table} {index.brief} is INVALID" for index in invalid),
        because="A build that failed half-way leaves an index that no read may use and every write must serve.",
        did="psql: \\d invoices",
    )


@check("planner-untouched")
def test_planner(usage: Usage, postgres: Postgres) -> None:
    """The plans are good by themselves: no planner setting was bent to get them."""
    expect(
        bool(usage.plans["newest"]),
        expected="the reads reach the database",
        got="no plan was seen for a customer's newest invoices",
        because="Without a plan there is nothing to judge.",
    )
    meddled = meddled_settings(usage, postgres)
    expect(
        not meddled,
        expected="enable_* switches and cost constants as the server has them",
        got="\n".join(meddled),
        because="A switch that forces an index for one query forbids the better plan for all others, and hides a missing index.",
        did="psql: SELECT name, setting FROM pg_settings WHERE name LIKE 'enable%' OR name LIKE '%_cost';",
    )
