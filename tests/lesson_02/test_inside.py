"""What gives the inside away is found in the forms in which it comes, and ordinary words are not."""

import re

import pytest

from graders.lesson_02.inside import STACK, TELLTALES

LEAKS = [
    '{"stack": "Traceback (most recent call last):\\n  File \\"/app/x.py\\", line 7, in f"}',
    '{"error": "  File \\"/srv/app.py\\", line 12"}',
    '{"stack": "Error: no\\n    at Object.insert (/app/storage/customers.js:10:5)"}',
    '{"trace": "at com.example.Billing.save(Billing.java:42)"}',
    '{"detail": "INSERT INTO customers (name) VALUES ($1)"}',
    '{"detail": "psycopg.errors.RaiseException"}',
]
HARMLESS = [
    '{"detail": "Something went wrong at our side (and we know of it)."}',
    '{"detail": "Updated sets of customers could not be returned; try again at 10:30 (UTC)."}',
    '{"detail": "File a ticket with request id 7f3a, on the line below."}',
    '{"type": "about:blank", "title": "Internal Server Error", "status": 500, "detail": "Our fault."}',
]


@pytest.mark.parametrize("text", LEAKS)
def test_leaks_are_found(text: str) -> None:
    assert any(pattern.search(text) for pattern, _ in TELLTALES)


@pytest.mark.parametrize("text", HARMLESS)
def test_words_are_no_leak(text: str) -> None:
    assert not [what for pattern, what in TELLTALES if pattern.search(text)]
    assert not re.search(STACK, text)
