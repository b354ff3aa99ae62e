"""A migration runs on a table in use: others go on writing, and what it leaves behind is whole."""

from graders.check import check, expect, fail
from graders.lesson_05.planner import meddled_settings
from graders.lesson_05.usage import Usage
from graders.probes.indexes import all_indexes
from graders.probes.migration import Rehearsal
from graders.probes.postgres import Postgres, psql

# A writer who takes half a minute, and the migration beside it. What a third one meets shows in a second terminal.
WRITER = psql(
    "UPDATE invoices SET paid_cents = paid_cents WHERE id = 1; SELECT pg_sleep(30)", "billing_small"
)
MIGRATION = (
    "psql postgresql://billing_owner:octo_lab@127.0.0.1:54320/billing_small"
    " -f work/lesson-05/migrations/0004_invoice_indexes.sql"
)
REHEARSE_BY_HAND = f"{WRITER} & sleep 1; {MIGRATION}"


@check("migration-online")
def test_online(rehearsal: Rehearsal) -> None:
    """While the migration runs, others can write to the table."""
    expect(
        rehearsal.exit_code == 0,
        expected="The release ends with code 0 while others write to invoices.",
        got=f"It ended with code {rehearsal.exit_code}.\n{rehearsal.output[-600:]}",
        because="A release that works only while nobody else works can't be deployed by day.",
        did=REHEARSE_BY_HAND,
    )
    if shut_out := rehearsal.shut_out:
        fail(
            expected="Writers get their rows while the release runs, however long it takes.",
            got=f"the release {shut_out.lock}:\n  {shut_out.statement}\n{shut_out.meaning}",
            because="On the real table it lasts as long as the build, and every payment that comes in hangs.",
            did=REHEARSE_BY_HAND,
        )


@check("no-invalid-index")
def test_valid(postgres: Postgres) -> None:
    """The migration leaves no invalid index behind."""
    invalid = [index for index in all_indexes(postgres) if not index.valid]
    expect(
        not invalid,
        expected="Every index that exists is valid.",
        got="\n".join(f"{index.name} on {index.table} {index.brief} is INVALID" for index in invalid),
        because="A build that failed half-way leaves an index that no read may use and every write must serve.",
        did=psql(r"\d invoices"),
    )


@check("planner-untouched", needs=["data-kept"])
def test_planner(usage: Usage, postgres: Postgres) -> None:
    """The plans are good by themselves: no planner setting was bent to get them."""
    expect(
        all(usage.plans[read] for read in ("newest", "overdue", "number")),
        expected="The reads ask the database.",
        got="a read was answered, and no plan of it was seen",
        because="Without a plan there is nothing to judge.",
    )
    meddled = meddled_settings(usage, postgres)
    expect(
        not meddled,
        expected="The planner's switches (enable_...) and cost constants are the server's.",
        got="\n".join(meddled),
        because="A switch that forces one plan forbids the better one elsewhere, and hides the missing index.",
        did=psql(
            "SELECT name, setting FROM pg_settings WHERE name ~ '^enable_|_cost' AND setting <> boot_val"
        ),
    )
