"""What other clients would choke on is refused, in words."""

import pytest

from graders.probes.strict_json import NotStrict, parse


def test_ordinary_json_is_read() -> None:
    assert parse(b'{"items": [1, "\xc3\xa9", null], "next": true}') == {"items": [1, "é", None], "next": True}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1} trailing', "not JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'"\xff"', "UTF-8"),
        (b"[" * 200_000, "deeply"),
        (b"1" * 10_000, "not JSON"),
    ],
)
def test_anything_looser_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(NotStrict, match=reason):
        parse(body)
