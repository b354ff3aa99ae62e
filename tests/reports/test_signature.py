"""A signature holds for one content and one key, and for how it is written down it does not care."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from graders.reports.json_report import InvalidReport, dumps, from_json, loads, parse, to_json
from graders.reports.signature import canonical, is_valid, signed

from . import samples

KEY = b"k" * 32
REPORT = to_json(samples.FAILED)


def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(dumps(samples.FAILED, KEY))
    change(data)
    return data


def test_a_signed_report_is_a_report() -> None:
    text = dumps(samples.FAILED, KEY)
    assert loads(text) == loads(dumps(samples.FAILED))
    assert is_valid(parse(text), KEY)


def test_the_value_is_what_anybody_can_compute() -> None:
    """With nothing of ours: parse, take the signature out, sort, write without spaces, HMAC."""
    data = json.loads(dumps(samples.FAILED, KEY))
    value = data.pop("signature")["value"]
    whole = json.loads(
        json.dumps(data), parse_float=lambda text: int(float(text)) if float(text) % 1 == 0 else float(text)
    )
    plain = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hmac.new(KEY, plain, hashlib.sha256).hexdigest() == value


def test_canonical_json_is_that_of_the_rfc() -> None:
    """The parts of the RFC's own example (RFC 8785, 3.2.2) that a report can hold."""
    data = {
        "peach": 1.0,
        "apple": [4.5, 0.002, None, True],
        "\u20ac": '\u20ac$\x0f\nA\'B"\\\\"/',
        "signature": {"value": ""},
    }
    assert (
        canonical(data)
        == '{"apple":[4.5,0.002,null,true],"peach":1,"\u20ac":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()
    )


def raise_the_score(data: dict[str, Any]) -> None:
    data["score"] = 100.0


def pass_it(data: dict[str, Any]) -> None:
    data["verdict"] = "pass"


def pass_a_check(data: dict[str, Any]) -> None:
    data["checks"][1].update(verdict="pass", failure=None)


def change_the_files(data: dict[str, Any]) -> None:
    data["tree_hash"] = "0" * 64


def change_the_seed(data: dict[str, Any]) -> None:
    data["seed"] += 1


def drop_a_field(data: dict[str, Any]) -> None:
    del data["blocked"]


def change_the_signature(data: dict[str, Any]) -> None:
    value = data["signature"]["value"]
    data["signature"]["value"] = value[:-1] + ("0" if value[-1] != "0" else "1")


@pytest.mark.parametrize(
    "change",
    [
        raise_the_score,
        pass_it,
        pass_a_check,
        change_the_files,
        change_the_seed,
        drop_a_field,
        change_the_signature,
    ],
)
def test_any_change_breaks_it(change: Callable[[dict[str, Any]], None]) -> None:
    data = changed(change)
    from_json(data)
    assert not is_valid(data, KEY)


def test_another_key_does_not_fit() -> None:
    assert not is_valid(signed(REPORT, KEY), b"l" * 32)


def test_form_is_no_content() -> None:
    data = signed(REPORT, KEY)
    reordered = dict(reversed(list(data.items()))) | {"score": json.loads(f"{REPORT['score']:.4f}")}
    assert is_valid(json.loads(json.dumps(reordered, indent=7)), KEY)


def test_signing_twice_is_signing_once() -> None:
    assert signed(signed(REPORT, b"l" * 32), KEY) == signed(REPORT, KEY)


@pytest.mark.parametrize(
    "text",
    [
        dumps(samples.FAILED, KEY).replace('"verdict"', '"verdict": "pass", "verdict"', 1),
        dumps(samples.FAILED).replace(f'"seconds": {REPORT["seconds"]}', '"seconds": 1e999'),
        dumps(samples.FAILED).replace(f'"seed": {REPORT["seed"]}', f'"seed": {"9" * 5000}'),
        dumps(samples.FAILED, KEY).replace("HMAC-SHA256", "none"),
        dumps(samples.FAILED, KEY).replace('"key_id"', '"kid"'),
    ],
    ids=["a name twice", "infinite", "endless", "another algorithm", "another form"],
)
def test_what_could_be_read_in_two_ways_is_no_report(text: str) -> None:
    assert text not in (dumps(samples.FAILED, KEY), dumps(samples.FAILED))
    with pytest.raises(InvalidReport):
        loads(text)


def test_half_a_character_just_does_not_match() -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["title"] = "\ud800"

    assert not is_valid(changed(spoil), KEY)
