"""What another program writes is there afterwards, or the submission has failed."""

from collections.abc import Callable, Iterator

import pytest

from graders.check import Failure
from graders.probes.other_programs import written
from graders.probes.postgres import Postgres

NEW = "INSERT INTO public.others (name) VALUES ('Ada') RETURNING name"


@pytest.fixture(autouse=True)
def others(owner: Callable[[str], None]) -> Iterator[None]:
    """A table that other programs write to."""
    owner("CREATE TABLE public.others (name text)")
    owner("GRANT SELECT, INSERT, UPDATE ON public.others TO billing_app")
    yield
    owner("DROP TABLE public.others")


@pytest.fixture
def swallowed(owner: Callable[[str], None]) -> Iterator[None]:
    """A trigger drops what is inserted, without a word."""
    owner("CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    owner(
        "CREATE TRIGGER swallow BEFORE INSERT ON public.others FOR EACH ROW EXECUTE FUNCTION public.swallow()"
    )
    yield
    owner("DROP FUNCTION public.swallow CASCADE")


def test_what_was_written_is_returned(postgres: Postgres) -> None:
    assert written(postgres, NEW) == [("Ada",)]


@pytest.mark.usefixtures("swallowed")
def test_a_row_that_is_dropped_without_a_word_is_the_submissions_fault(postgres: Postgres) -> None:
    with pytest.raises(Failure, match="other programs read and write their rows") as found:
        written(postgres, NEW)
    assert "no row came of: INSERT INTO public.others" in found.value.got


def test_a_table_that_is_not_there_is_the_submissions_fault(postgres: Postgres) -> None:
    with pytest.raises(Failure, match="other programs read and write their rows"):
        written(postgres, "INSERT INTO public.nowhere (name) VALUES ('Ada') RETURNING name")


def test_what_need_return_nothing_may(postgres: Postgres) -> None:
    assert written(postgres, "UPDATE public.others SET name = name WHERE false") == []
