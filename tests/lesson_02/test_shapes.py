"""Promised fields are read strictly, and nothing that JSON can say breaks the reader."""

import json

import pytest

from graders.check import Failure
from graders.lesson_02.shapes import ADDRESS, PAYMENT, page_of, read, time
from graders.probes.api import Answer

PAID = {"id": "1", "invoice_id": "2", "amount_cents": 7, "received_at": "2026-03-01T09:30:00.123456Z"}


def answer(body: str) -> Answer:
    return Answer("curl", 200, {"Content-Type": "application/json; charset=utf-8"}, body.encode())


@pytest.mark.parametrize(
    "more", [{}, {"extra": [1]}, {"amount_cents": 7.0}, {"received_at": "2026-03-01t09:30:00+00:00"}]
)
def test_what_is_promised_passes(more: dict[str, object]) -> None:
    assert read(answer(json.dumps({**PAID, **more})), 200, PAYMENT)["amount_cents"] == 7


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "1"), ("amount_cents", '"7"'), ("amount_cents", "true"), ("amount_cents", "1e999"), ("amount_cents", "7.5"),
     ("received_at", '"2026-03-01T09:30:00"'), ("received_at", '"2026-03-01T10:30:00+01:00"'),
     ("received_at", '"2026-13-01T09:30:00Z"'), ("received_at", "null")],
)  # fmt: skip
def test_what_is_not_is_named(field: str, value: str) -> None:
    body = json.dumps({**PAID, field: "HERE"}).replace('"HERE"', value)
    with pytest.raises(Failure) as failed:
        read(answer(body), 200, PAYMENT)
    assert field in failed.value.got


def test_more_digits_than_python_has_are_read() -> None:
    assert time("2026-03-01T09:30:00.123456789Z") == time("2026-03-01T09:30:00.123456Z")


@pytest.mark.parametrize("body", ["[]", "null", '{"items": {}, "next_cursor": null}', '{"items": [7], "next_cursor": null}',
                                  '{"items": []}', '{"items": [], "next_cursor": 7}'])  # fmt: skip
def test_what_is_no_page(body: str) -> None:
    with pytest.raises(Failure):
        read(answer(body), 200, page_of(ADDRESS))


def test_a_success_says_that_it_is_json() -> None:
    with pytest.raises(Failure, match="application/json"):
        read(Answer("curl", 200, {"Content-Type": "text/html"}, json.dumps(PAID).encode()), 200, PAYMENT)
