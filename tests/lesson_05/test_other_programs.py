"""Whose fault it is when another program's row is refused."""

import psycopg
import pytest
from psycopg import errors

from graders.check import Failure
from graders.lesson_05.other_programs import refused_rows_are_failures


@pytest.mark.parametrize(
    "error", [errors.RaiseException, errors.QueryCanceled, errors.UniqueViolation, errors.DiskFull]
)
def test_a_refusal_is_the_submissions(error: type[psycopg.Error]) -> None:
    with pytest.raises(Failure, match="takes rows from other programs"), refused_rows_are_failures():
        raise error("no")


@pytest.mark.parametrize("error", [errors.AdminShutdown, psycopg.OperationalError])
def test_a_server_that_stops_is_nobodys(error: type[psycopg.Error]) -> None:
    with pytest.raises(error), refused_rows_are_failures():
        raise error("gone")
