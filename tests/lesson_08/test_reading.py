"""Traces, routes and times are read as their standards and CONTRACT.md have them, in whatever spelling is free."""

import random

import pytest

from graders.check import Failure
from graders.lesson_08.lines import differences, expect_line, is_utc, shown
from graders.lesson_08.routes import of_route, same
from graders.lesson_08.traces import invalid_traces, is_trace, new_trace, trace_of
from graders.probes.api import Answer
from graders.probes.exposition import Page, Sample


def test_a_trace_of_ours_is_valid_and_what_we_call_invalid_is_not() -> None:
    draw = random.Random(7)
    header, trace = new_trace(draw)
    assert trace_of(header) == trace
    assert is_trace(trace)
    assert [trace_of(each) for each in invalid_traces(draw)] == [None] * 9
    assert trace_of(None) is None


@pytest.mark.parametrize("text", ["0" * 32, "a" * 31, "A" * 32, 7, None])
def test_what_is_no_trace_id(text: object) -> None:
    assert not is_trace(text)


def test_names_in_braces_are_free() -> None:
    assert same("/v1/customers/{id}", "/v1/customers/{customer_id}")
    assert not same("/v1/customers/{id}/invoices", "/v1/customers/{customer_id}")
    assert not same("/v1/customers/7", "/v1/customers/{customer_id}")
    assert same(None, None)
    assert not same("missing", None)
    assert not same(None, "/v1/customers")


def test_series_of_a_template_are_summed_whatever_its_names_are() -> None:
    samples = [Sample("n", {"route": "/v1/a/{x}", "status": status}, 2) for status in ("200", "404")]
    page = Page((*samples, Sample("n", {"route": "/v1/b"}, 5)), {}, "curl")
    assert of_route(page, "n", "/v1/a/{id}") == 4
    assert of_route(page, "n", "/v1/a/{id}", status="200") == 2
    assert of_route(page, "n", "/v1/c") == 0


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-21T07:50:00Z", True),
        ("2026-11-21T07:50:00.123+00:00", True),
        ("2026-11-21T07:50:00+01:00", False),
        ("2026-11-21T07:50:00", False),
        ("yesterday", False),
        (None, False),
    ],
)
def test_times_are_in_utc(text: object, utc: bool) -> None:
    assert is_utc(text) is utc


def test_differences_name_what_is_missing_and_what_is_other() -> None:
    found = differences({"status": 200, "route": None}, {"status": 404, "route": None, "user_id": "carol"})
    assert found == {"status": '"status": 404', "user_id": '"user_id": "carol"'}
    assert not differences({"route": None}, {"route": None})
    assert differences({}, {"route": None}) == {"route": '"route": null'}


def test_a_line_that_is_wrong_is_told_with_its_field_first() -> None:
    line = {**{f"x{at}": at for at in range(20)}, "message": "request", "route": "/v1/customers/7"}
    wrong = differences(line, {"route": "/v1/customers/{customer_id}", "status": 200})
    with pytest.raises(Failure) as failure:
        expect_line("request line", line, wrong, Answer("curl", 200, {}, b""))
    said, told = failure.value.got.splitlines()
    assert said == 'request line: wrong "route": "/v1/customers/7", no "status"'
    assert told.startswith('{"message": "request", "route": "/v1/customers/7", "x0": 0')
    assert told.endswith("and 6 more}")
    assert failure.value.expected == (
        'The request line has "route": "/v1/customers/{customer_id}", "status": 200.'
    )


def test_a_long_value_of_a_line_is_cut_and_its_field_stays() -> None:
    assert shown({"stack": "x" * 5000, "error": "short"}, ["error"]).startswith(
        '{"error": "short", "stack": "xxx'
    )
    assert len(shown({"stack": "x" * 5000})) < 400
