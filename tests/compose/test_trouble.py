"""Trouble of the stores is told apart from errors that a service makes."""

from pathlib import Path

import psycopg
import pytest

from compose.trouble import trouble
from tests.compose.conftest import EVERYTHING, POSTGRES, stores


def test_errors_of_the_service_are_no_trouble(cache: Path) -> None:
    with stores(EVERYTHING) as up:
        assert up.postgres
        with psycopg.connect(up.postgres.url(up.postgres.app), autocommit=True) as session:
            for statement in ("SELECT 1/0", "SELECT nothing", 'SELECT \'"state_code":"53100"\', 1/0'):
                with pytest.raises(psycopg.Error):
                    session.execute(statement)
        assert trouble(up) is None


def test_a_full_disk_is_trouble(cache: Path) -> None:
    with stores(POSTGRES) as up:
        assert up.postgres
        raised = (
            "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file'; END $$"
        )
        with (
            psycopg.connect(up.postgres.url(up.postgres.app)) as session,
            pytest.raises(psycopg.errors.DiskFull),
        ):
            session.execute(raised)
        found = trouble(up)
    assert found
    assert "could not extend file" in found.problem
    assert "Free some space" in found.remedy
