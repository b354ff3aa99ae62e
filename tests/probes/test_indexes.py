"""Which index says again what another one says: judged on a real catalog."""

from collections.abc import Callable, Iterator

import pytest

from graders.probes.indexes import all_indexes, guards, indexes_of, repeats
from graders.probes.postgres import Postgres

Owner = Callable[[str], None]


@pytest.fixture
def table(owner: Owner) -> Iterator[None]:
    owner("CREATE TABLE things (a bigint NOT NULL, b bigint, c text, id bigint PRIMARY KEY, UNIQUE (a, c))")
    yield
    owner("DROP TABLE things")


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("one", "other", "says_the_same"),
    [
        ("(a)", "(a, b)", True),
        ("(a, b)", "(a)", False),
        ("(b)", "(a, b)", False),
        ("(a DESC)", "(a, b)", True),
        ("(a DESC, b DESC)", "(a, b)", True),
        ("(a DESC, b)", "(a, b)", False),
        ("(b DESC NULLS LAST)", "(b)", False),
        ("(a DESC NULLS LAST)", "(a)", True),
        ("(a) INCLUDE (b)", "(a) INCLUDE (b, c)", True),
        ("(a) INCLUDE (b, c)", "(a) INCLUDE (b)", False),
        ("(a) INCLUDE (b)", "(a, b)", True),
        ("(a) WHERE b = 1", "(a)", False),
        ("(a)", "(a) WHERE b = 1", False),
        ("(a) WHERE b = 1", "(a, c) WHERE b = 1", True),
        ("(lower(c))", "(lower(c), a)", True),
        ("(lower(c))", "(upper(c))", False),
        ("(c text_pattern_ops)", "(c)", False),
    ],
)
def test_repeats(postgres: Postgres, owner: Owner, one: str, other: str, says_the_same: bool) -> None:
    owner(f"CREATE INDEX zz_one ON things {one}")
    owner(f"CREATE INDEX aa_other ON things {other}")
    named = {index.name: index for index in indexes_of(postgres, "things")}
    assert repeats(named["zz_one"], named["aa_other"]) is says_the_same


@pytest.mark.usefixtures("table")
def test_of_two_that_are_the_same_one_is_named(postgres: Postgres, owner: Owner) -> None:
    owner("CREATE INDEX second ON things (b)")
    owner("CREATE INDEX first ON things (b)")
    there = indexes_of(postgres, "things")
    found = [(index.name, other.name) for index in there for other in there if repeats(index, other)]
    assert found == [("second", "first")]


@pytest.mark.usefixtures("table")
def test_a_constraint_is_never_the_one_too_many(postgres: Postgres, owner: Owner) -> None:
    owner("CREATE UNIQUE INDEX again ON things (a, c)")
    owner("CREATE INDEX beginning ON things (a)")
    there = indexes_of(postgres, "things")
    found = {(index.name, other.name) for index in there for other in there if repeats(index, other)}
    assert found == {("again", "things_a_c_key"), ("beginning", "things_a_c_key"), ("beginning", "again")}


@pytest.mark.usefixtures("table")
def test_a_unique_index_guards_where_nothing_narrower_does(postgres: Postgres, owner: Owner) -> None:
    owner("CREATE UNIQUE INDEX case_blind ON things (a, lower(c))")
    owner("CREATE UNIQUE INDEX for_show ON things (b, id)")
    owner("CREATE INDEX plain ON things (b)")
    there = indexes_of(postgres, "things")
    assert [index.name for index in there if guards(index, there)] == [
        "case_blind",
        "things_a_c_key",
        "things_pkey",
    ]


@pytest.mark.usefixtures("table")
def test_an_index_is_told_as_it_was_made(postgres: Postgres, owner: Owner) -> None:
    owner("CREATE INDEX told ON things (b DESC) INCLUDE (c) WHERE a = 1")
    (index,) = [index for index in all_indexes(postgres) if index.name == "told"]
    assert index.brief == "(b DESC) INCLUDE (c) WHERE (a = 1)"
    assert (index.table, index.valid, index.unique, index.constraint) == ("things", True, False, False)
