"""Trouble of the stores is told apart from errors that a service makes."""

from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import redis

from compose.trouble import trouble
from tests.compose.conftest import EVERYTHING, POSTGRES, Numbers, logged, stores


def test_errors_of_the_service_are_no_trouble(cache: Path) -> None:
    with stores(EVERYTHING) as up:
        assert up.postgres
        with psycopg.connect(up.postgres.url(up.postgres.app), autocommit=True) as session:
            for statement in ("SELECT 1/0", "SELECT nothing", 'SELECT \'"state_code":"53100"\', 1/0'):
                with pytest.raises(psycopg.Error):
                    session.execute(statement)
        assert logged(up.postgres.log, "SELECT nothing")
        assert trouble(up) is None


def test_damaged_data_are_trouble(cache: Path) -> None:
    numbers = Numbers()
    with stores(POSTGRES, numbers.dataset()) as up:
        assert up.postgres
        with up.postgres.log.parents[1].joinpath("data", numbers.file).open("r+b") as table:
            table.seek(100)
            table.write(b"no longer what it was")
        with (
            psycopg.connect(up.postgres.url(up.postgres.app)) as session,
            pytest.raises(psycopg.errors.DataCorrupted),
        ):
            session.execute("SELECT * FROM numbers")
        assert logged(up.postgres.log, "XX001")
        found = trouble(up)
    assert found
    assert "page verification failed" in found.problem
    assert "doctor --clean" in found.remedy


@pytest.mark.parametrize("code", ["53100", "58030", "XX001"])
@pytest.mark.parametrize(
    "language", ["DO $$ {} $$", 'CREATE FUNCTION "x\n\\" () RETURNS void LANGUAGE plpgsql AS $$ {} $$']
)
def test_trouble_that_a_service_raises_is_none(cache: Path, code: str, language: str) -> None:
    raised = f"BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'could not extend file'; END"
    with stores(POSTGRES) as up:
        assert up.postgres
        with psycopg.connect(up.postgres.url(up.postgres.owner), autocommit=True) as owner:
            with suppress(psycopg.errors.DatabaseError):
                owner.execute(language.format(raised).encode())
            with suppress(psycopg.errors.DatabaseError):
                owner.execute('SELECT "x\n\\"()')
        assert logged(up.postgres.log, code)
        assert trouble(up) is None


def test_what_a_script_writes_to_the_log_of_valkey_is_no_trouble(cache: Path) -> None:
    with stores(EVERYTHING) as up:
        assert up.cache
        assert up.queue
        for server in (up.cache, up.queue):
            with redis.Redis.from_url(server.url()) as client:
                client.eval("redis.log(redis.LOG_WARNING, 'No space left on device')", 0)
        assert trouble(up) is None
