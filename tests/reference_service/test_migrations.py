"""`release` makes the schema current, or says why not and what to do, while others go on writing."""

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.reference_service.running import SERVICE, Database, Ended, eventually, procfile, release, run

FILES = sorted(path.name for path in (SERVICE / "migrations").glob("*.sql"))
LAST = FILES[-1]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the service whose migrations a test may change."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(SERVICE, tmp_path / "tree", ignore=ignored))


@pytest.fixture
def migrations(tree: Path) -> Path:
    return tree / "migrations"


def ledger(database: Database) -> list[str]:
    return [row["name"] for row in database.rows("SELECT name FROM schema_migrations ORDER BY version")]


def applied(ended: Ended) -> list[str]:
    return [line["migration"] for line in ended.lines if line["message"] == "applied"]


def invalid_indexes(database: Database) -> list[str]:
    query = "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid"
    return [row["name"] for row in database.rows(query)]


def tables(database: Database) -> set[str]:
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    return {row["relname"] for row in database.rows(query)}


def test_all_is_applied_once_and_in_order(empty_database: Database, base_env: dict[str, str]) -> None:
    first = release(empty_database, base_env)
    assert (first.code, applied(first), first.message()) == (0, FILES, "schema is current")
    again = release(empty_database, base_env)
    assert (again.code, applied(again), again.message()) == (0, [], "schema is current")
    assert ledger(empty_database) == FILES
    for row in empty_database.rows("SELECT name, checksum FROM schema_migrations"):
        text = (SERVICE / "migrations" / row["name"]).read_bytes()
        assert row["checksum"] == hashlib.sha256(text).hexdigest()


def test_only_up_to_a_version(empty_database: Database, base_env: dict[str, str]) -> None:
    assert applied(release(empty_database, base_env, arguments="--to 0003")) == FILES[:3]
    assert applied(release(empty_database, base_env)) == FILES[3:]


def test_a_changed_file_is_refused_but_line_ends_are_no_change(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    text = (migrations / FILES[1]).read_bytes()
    (migrations / FILES[1]).write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert release(database, base_env, tree).code == 0
    (migrations / FILES[1]).write_bytes(text + b"-- more\n")
    ended = release(database, base_env, tree)
    assert ended.code == 1
    assert FILES[1] in ended.message()


def test_a_missing_file_is_refused(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    (migrations / LAST).unlink()
    ended = release(database, base_env, tree)
    assert ended.code == 1
    assert LAST in ended.message()


def test_a_file_that_comes_too_late_is_refused(
    empty_database: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    (migrations / "0907_last.sql").write_text("SELECT 1;")
    assert release(empty_database, base_env, tree).code == 0
    (migrations / "0906_late.sql").write_text("SELECT 1;")
    ended = release(empty_database, base_env, tree)
    assert ended.code == 1
    assert "0906_late.sql" in ended.message()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("5_short.sql", "SELECT 1;"),
        ("0004_again.sql", "SELECT 1;"),
        ("0905_odd.sql", "-- migrate: no-transactions\nSELECT 1;"),
        ("0905_latin.sql", "SELECT 'Gr\udcf6\udcdfe';"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named_and_nothing_is_done(
    empty_database: Database, base_env: dict[str, str], tree: Path, migrations: Path, name: str, text: str
) -> None:
    (migrations / name).write_text(text, errors="surrogateescape")
    ended = release(empty_database, base_env, tree)
    assert ended.code == 1
    assert name in ended.message()
    assert tables(empty_database) == set()


def test_a_failing_file_leaves_nothing_and_says_where(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    (migrations / "0905_half.sql").write_text(
        "CREATE TABLE half (id int);\n\n-- no such\nDROP TABLE nothing;\n"
    )
    ended = release(database, base_env, tree)
    assert ended.code == 1
    for part in (
        "0905_half.sql",
        "statement 2",
        "line 4",
        "DROP TABLE nothing",
        'table "nothing" does not exist',
    ):
        assert part in ended.message()
    assert "half" not in tables(database)
    assert ledger(database) == FILES


def test_a_file_must_not_end_its_transaction(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    (migrations / "0905_ends.sql").write_text("CREATE TABLE one (id int); COMMIT; CREATE TABLE two (id int);")
    ended = release(database, base_env, tree)
    assert ended.code == 1
    assert "statement 2" in ended.message()
    assert "two" not in tables(database)


def test_concurrently_in_a_transaction_is_told_the_way_out(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    (migrations / "0905_inside.sql").write_text("CREATE INDEX CONCURRENTLY inside ON payments (received_at);")
    ended = release(database, base_env, tree)
    assert ended.code == 1
    assert "-- migrate: no-transaction" in ended.message()


def test_a_file_outside_of_a_transaction_goes_on_after_it_is_mended(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    head = "-- migrate: no-transaction\nDROP TABLE IF EXISTS kept;\nCREATE TABLE kept (id int);\n"
    (migrations / "0905_kept.sql").write_text(head + "SELECT 1/0")
    ended = release(database, base_env, tree)
    assert ended.code == 1
    assert "statement 3 (line 4: SELECT 1/0): division by zero." in ended.message()
    assert "kept" in tables(database)
    assert ledger(database) == FILES
    (migrations / "0905_kept.sql").write_text(head)
    assert release(database, base_env, tree).code == 0
    assert ledger(database) == [*FILES, "0905_kept.sql"]


@pytest.mark.parametrize("body", ["BEGIN; SELECT 1/0;", "BEGIN; CREATE TABLE lost (id int);"])
def test_a_transaction_of_its_own_that_never_commits_is_refused(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path, body: str
) -> None:
    (migrations / "0905_begins.sql").write_text(f"-- migrate: no-transaction\n{body}")
    ended = release(database, base_env, tree)
    assert ended.code == 1
    assert "0905_begins.sql" in ended.message()
    assert ledger(database) == FILES
    assert "lost" not in tables(database)


def test_a_role_that_may_not_change_the_schema_is_told(
    empty_database: Database, base_env: dict[str, str]
) -> None:
    ended = run(procfile()["release"], {**base_env, "DATABASE_URL": empty_database.app_url()})
    assert ended.code == 1
    assert "permission denied" in ended.message()


TRICKY = r"""
/* a comment; /* and one inside; */ 'still' a comment; */
CREATE TABLE "odd;name" (id int, "quoted "";"" column" text DEFAULT 'it''s; fine');  -- trailing; 'comment
;;
CREATE FUNCTION tricky() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
    -- $$ is not the end;
    RETURN E'a\';b' || $$;'$$ || $1a$; $1a$ || 'end';
END;
$body$;
INSERT INTO "odd;name" (id) SELECT 1 AS a$b; INSERT INTO "odd;name" VALUES (2, '--; /* '), (3, U&'\003B')
"""


@pytest.mark.parametrize("directive", ["", "-- migrate: no-transaction\n"])
def test_semicolons_in_texts_names_and_comments_end_nothing(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path, directive: str
) -> None:
    (migrations / "0905_tricky.sql").write_text(directive + TRICKY.replace("$1a$", "$_1a$"))
    ended = release(database, base_env, tree)
    assert ended.code == 0, ended.message()
    rows = database.rows('SELECT id, "quoted "";"" column" AS text FROM "odd;name" ORDER BY id')
    assert [row["text"] for row in rows] == ["it's; fine", "--; /* ", ";"]
    assert database.rows("SELECT tricky() AS said") == [{"said": "a';b;'; end"}]


def test_what_is_never_closed_is_named_by_postgres(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    for text in ("SELECT 'open; SELECT 1;", "SELECT $$open; SELECT 1;", "SELECT 1; /* open; SELECT 1;"):
        (migrations / "0905_open.sql").write_text(text)
        ended = release(database, base_env, tree)
        assert ended.code == 1
        assert "unterminated" in ended.message()


def test_a_migration_waits_for_a_lock_only_briefly(
    database: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    remember = "CREATE TABLE waits AS SELECT current_setting('lock_timeout') AS seconds;"
    (migrations / "0905_waits.sql").write_text(remember)
    assert release(database, base_env, tree).code == 0
    assert database.rows("SELECT * FROM waits") == [{"seconds": "5s"}]


INSERT = """
    INSERT INTO invoices (tenant_id, customer_id, number, currency, total_cents)
    VALUES (1, 1, %s, 'EUR', 1)
"""


@pytest.fixture
def live(empty_database: Database, base_env: dict[str, str]) -> Database:
    """In production at 0003, with a customer."""
    assert release(empty_database, base_env, arguments="--to 0003").code == 0
    empty_database.add_tenant()
    empty_database.execute("INSERT INTO customers (tenant_id, name, email) VALUES (1, 'A', 'a@b')")
    return empty_database


def test_a_failed_build_leaves_an_invalid_index_that_the_next_release_mends(
    live: Database, base_env: dict[str, str]
) -> None:
    live.execute(INSERT, "july")
    live.execute(INSERT, "JULY")
    ended = release(live, base_env)
    assert ended.code == 1
    assert "(1, july) is duplicated" in ended.message()
    assert invalid_indexes(live) == ["invoices_number_ci"]
    live.execute("DELETE FROM invoices WHERE number = 'JULY'")
    assert release(live, base_env).code == 0
    assert invalid_indexes(live) == []


def test_an_invalid_index_that_stays_is_refused(
    live: Database, base_env: dict[str, str], tree: Path, migrations: Path
) -> None:
    head = "-- migrate: no-transaction\n"
    create = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one ON invoices (total_cents);"
    (migrations / LAST).write_text(head + create)
    live.execute(INSERT, "a")
    live.execute(INSERT, "b")
    assert release(live, base_env, tree).code == 1
    live.execute("DELETE FROM invoices WHERE number = 'b'")
    ended = release(live, base_env, tree)
    assert ended.code == 1
    assert "invalid indexes: one." in ended.message()
    (migrations / LAST).write_text(f"{head}DROP INDEX CONCURRENTLY IF EXISTS one;\n{create}")
    assert release(live, base_env, tree).code == 0


def waits_for(database: Database, event: str) -> bool:
    return any(session["wait_event"] == event for session in database.sessions())


def test_others_write_and_a_second_release_waits_while_indexes_are_built(
    live: Database, base_env: dict[str, str]
) -> None:
    with ThreadPoolExecutor(2) as threads, live.connect(autocommit=False) as earlier:
        earlier.execute(INSERT, ["before"])
        first = threads.submit(release, live, base_env)
        eventually(lambda: waits_for(live, "virtualxid"), "the build waits for the earlier transaction")
        second = threads.submit(release, live, base_env)
        eventually(lambda: len(live.sessions()) == 2, "the second release is there")
        with live.connect() as other:
            other.execute("SET lock_timeout = '5s'")
            other.execute(INSERT, ["meanwhile"])
            other.execute("UPDATE invoices SET number = 'changed' WHERE number = 'meanwhile'")
        earlier.commit()
        ends = [first.result(), second.result()]
    assert [ended.code for ended in ends] == [0, 0]
    assert [name for ended in ends for name in applied(ended)] == FILES[3:]
    assert invalid_indexes(live) == []


def test_releases_at_once_apply_everything_once(empty_database: Database, base_env: dict[str, str]) -> None:
    with ThreadPoolExecutor(3) as threads:
        ends = list(threads.map(lambda _: release(empty_database, base_env), range(3)))
    assert [ended.code for ended in ends] == [0, 0, 0]
    assert [name for ended in ends for name in applied(ended)] == FILES
