"""The report as JSON, there and back: report.schema.json says what every field means."""

import json
from dataclasses import asdict
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from graders.reports.model import SCHEMA_VERSION, FailureText, Outcome, Phase, Report, Trouble
from graders.reports.plain import TIGHTER, WHOLE_BYTES, one_line, safe
from graders.reports.signature import SIGNATURE, signed

SIGNATURE_BYTES = 500
# Names at the top that say nothing of the grade.
ABOUT_THE_DOCUMENT = ("schema_version", SIGNATURE)


class InvalidReport(ValueError):
    """The data is no report that this kit can read; the message names the place and what is wrong there."""


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a report."""
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("report.schema.json").read_text("utf-8"))
    return loaded


def to_json(report: Report) -> dict[str, Any]:
    """The report as JSON data in canonical order, every text visible and capped.

    At most 1 MB as `dumps` writes it: parts are cut shorter, all of them alike, until the whole fits.
    """
    for limit in TIGHTER:
        data = _plain_data(safe(report, limit))
        if len(as_text(data)) <= WHOLE_BYTES - SIGNATURE_BYTES:
            return data
    raise InvalidReport(f"{len(report.checks)} checks are too many for one report")


def dumps(report: Report, key: bytes | None = None) -> str:
    """The report as a file: pure ASCII, so that it survives any encoding, and ends with a newline. With a key: signed."""
    data = to_json(report)
    return as_text(signed(data, key) if key else data)


def loads(text: str) -> Report:
    """The report that `dumps` wrote. Raises InvalidReport for anything else."""
    return from_json(parse(text))


def parse(text: str) -> Any:
    """JSON data of at most 1 MB in which no name stands twice. Raises InvalidReport."""
    if len(text) > WHOLE_BYTES:
        raise InvalidReport(
            f"not an octo_lab report: {len(text)} characters, and a report has at most {WHOLE_BYTES}"
        )
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once)
    except InvalidReport:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidReport(f"not an octo_lab report: not JSON ({error})") from error


def _refuse(name: str) -> NoReturn:
    raise InvalidReport(f"not an octo_lab report: {name} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name that stands twice, one reader takes the first and another the last: what was signed, then?"""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidReport("not an octo_lab report: a name stands twice in it")
    return found


def from_json(data: object) -> Report:
    """The report that `to_json` made. Raises InvalidReport for anything that breaks the schema."""
    if isinstance(data, dict) and data.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
        raise InvalidReport(
            f"the report has schema_version {one_line(repr(data['schema_version']), 80)}; "
            f"this kit reads {SCHEMA_VERSION}: use the octo_lab that wrote it"
        )
    error = best_match(Draft202012Validator(schema()).iter_errors(data))
    if error is not None:
        place = one_line("/".join(str(step) for step in error.absolute_path) or "the top level", 200)
        raise InvalidReport(f"not an octo_lab report, at {place}: {one_line(error.message, 300)}")
    assert isinstance(data, dict)
    return _report(data)


def as_text(data: dict[str, Any]) -> str:
    """JSON as a file: pure ASCII, and nothing in it is a command to a CI machine that prints it."""
    # CI runners obey commands that start with two hashes wherever they stand in a line of output.
    return json.dumps(data, indent=2, allow_nan=False).replace("##", "#\\u0023") + "\n"


def _plain_data(report: Report) -> dict[str, Any]:
    data = {"schema_version": SCHEMA_VERSION, **asdict(report)}
    data["stores"] = dict(sorted(report.stores.items()))
    # asdict keeps tuples; lists are what JSON reads back.
    listed: dict[str, Any] = _lists({name: data[name] for name in schema()["properties"] if name in data})
    for one in listed["checks"]:
        one["failure"] = one.pop("failure")
    return listed


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lists(item) for name, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, list | tuple) else value


def _report(data: dict[str, Any]) -> Report:
    given = {name: value for name, value in data.items() if name not in ABOUT_THE_DOCUMENT}
    return Report(
        **{
            **given,
            "blocked": tuple(data.get("blocked", ())),
            "phases": tuple(Phase(**phase) for phase in data["phases"]),
            "checks": tuple(_outcome(outcome) for outcome in data["checks"]),
            "trouble": Trouble(**data["trouble"]) if data["trouble"] else None,
        }
    )


def _outcome(data: dict[str, Any]) -> Outcome:
    failure = data["failure"]
    return Outcome(**{**data, "failure": _failure(failure) if failure else None})


def _failure(data: dict[str, Any]) -> FailureText:
    return FailureText(**{**data, "log": tuple(data["log"]), "read": tuple(data["read"])})
