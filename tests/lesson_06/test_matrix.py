"""permissions.toml is read strictly and held against the rules; the rules are those that the lesson's text tells."""

import re

import pytest

from graders.check import Failure
from graders.lesson_06.matrix import disagreements, listed
from graders.lesson_06.rules import ROLES, RULES
from labs.catalog import KIT
from tests.reference_service.test_contract_tables import table

RIGHT = (KIT / "reference_service" / "permissions.toml").read_text()


def test_the_reference_says_what_the_rules_say() -> None:
    assert disagreements(listed(RIGHT)) == []


def test_the_rules_have_every_route_of_the_contract() -> None:
    promised = {f"{row[0]} {row[1]}" for row in [*table("method"), *table("method with tokens")]}
    assert {rule.route for rule in RULES} == {route for route in promised if " /v1/" in route}


def test_the_lessons_table_says_what_the_rules_say() -> None:
    """How many routes each role may use, counted in the text: a row may stand for several routes."""
    text = (KIT / "labs" / "lesson-06" / "README.md").read_text()
    section = text.partition("## Who may do what")[2].partition("###")[0]
    rows = re.findall(r"^\| ([a-z].*?) \|(.*)\|$", section, re.M)
    routes = [2, 3, 1, 5, 2, 2, 1, 1, 1, 2, 1]
    counted = dict.fromkeys(ROLES, 0)
    for (_, cells), count in zip(rows, routes, strict=True):
        for role, cell in zip(ROLES, cells.split("|"), strict=True):
            counted[role] += count * (cell.strip() == "yes")
    assert sum(routes) == len(RULES)
    assert counted == {role: sum(role in rule.roles for rule in RULES) for role in ROLES}


def test_names_in_braces_are_free_and_other_routes_too() -> None:
    other = RIGHT.replace("{customer_id}", "{id}") + '"GET /v1/me" = ["viewer"]\n'
    assert disagreements(listed(other)) == []


def test_what_is_missing_and_what_is_too_much_is_told() -> None:
    wrong = RIGHT.replace('"GET /v1/users" = ["auditor", "admin"]\n', "").replace(
        '/payments" = ["accountant"]', '/payments" = ["clerk"]'
    )
    assert disagreements(listed(wrong)) == [
        "POST /v1/invoices/{invoice_id}/payments: lets clerk in and keeps accountant out",
        "GET /v1/users: is not listed, so it is closed to everybody",
    ]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "permissions = 1",
        "[permissions]\n'GET v1' = []",
        "[permissions]\n'GET /v1/x' = 'viewer'",
        "[permissions]\n'GET /v1/x' = ['king']",
        "[permissions]\n'GET /v1/x' = [['viewer']]",
        "[permissions]\n[more]\n",
        "x" * 1000,
    ],
)
def test_what_is_no_matrix_is_a_failure(text: str | None) -> None:
    with pytest.raises(Failure):
        listed(text)
