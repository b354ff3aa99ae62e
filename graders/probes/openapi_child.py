"""What is done with a document in a process of its own: validated, made into requests, held against answers.

The document is a stranger's: a pattern may take for ever, a schema may eat all memory. So this runs apart, bounded by
`openapi_bench`, in an empty folder with a clean environment: nothing is loaded that a submission could have put there.
"""

import json
import os
import resource
import sys
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisException
from openapi_schema_validator import OAS30Validator, OAS31Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from schemathesis import GenerationMode, Response
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation.case import Case
from schemathesis.specs.openapi import checks

Json = dict[str, Any]

MOST_MEMORY = 2 * 1024**3
MOST_FAULTS = 3
MOST_TEXT = 600
SEED = 20_260_302
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def faults(document: Json) -> list[Json]:
    """Where the document is not what the specification says: [{at, what}], at most MOST_FAULTS."""
    kind = OpenAPIV30SpecValidator if document["openapi"].startswith("3.0") else OpenAPIV31SpecValidator
    found = []
    for error in kind(document).iter_errors():
        at = list(error.absolute_path) or _place_of_default(document, error.instance)
        found.append({"at": "/".join(map(str, at)), "what": error.message[:MOST_TEXT]})
        if len(found) == MOST_FAULTS:
            break
    return found


def _place_of_default(node: Any, value: Any) -> list[str | int]:
    """Where this default stands: the validator of defaults does not say."""
    inner: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, one in inner:
        if name == "default" and type(one) is type(value) and one == value:
            return [name]
        if place := _place_of_default(one, value):
            return [name, *place]
    return []


def fits(document: Json, asked: list[tuple[Any, str]]) -> list[bool]:
    """Whether each schema lets its value through, as text or as the number that it spells."""
    kind = OAS30Validator if document["openapi"].startswith("3.0") else OAS31Validator

    def lets_through(schema: Any, text: str) -> bool:
        whole = (
            {**document, **schema} if isinstance(schema, dict) else schema
        )  # so that its references lead somewhere
        values = [text, int(text)] if text.isdigit() else [text]
        return any(kind(whole).is_valid(value) for value in values)

    return [lets_through(schema, text) for schema, text in asked]


def cases(document: Json, examples: int) -> list[Json]:
    """Requests for each operation: some that fit, some whose body does not: [{method, path, fits, query, body}]."""
    found = []
    for result in schemathesis.openapi.from_dict(_without_headers(document)).get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        path_parameters = {one.name: "1" for one in operation.path_parameters}
        for mode in GenerationMode if operation.body else [GenerationMode.POSITIVE]:
            strategy = operation.as_strategy(mode, path_parameters=path_parameters or None)
            for case in _drawn(strategy, examples):
                if (said := _said(case)) is not None:
                    found.append(said)
    return found


def _drawn(strategy: Any, examples: int) -> list[Case[Any]]:
    drawn: list[Case[Any]] = []

    @seed(SEED)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(case: Case[Any]) -> None:
        drawn.append(case)

    try:
        draw()
    except HypothesisException:  # nothing can fit, or nothing can't
        return drawn
    return drawn


def _said(case: Case[Any]) -> Json | None:
    """The case as JSON; None where it can't be sent as JSON, or where what does not fit is not the body."""
    modes = (
        {location.value: part.mode for location, part in case.meta.components.items()} if case.meta else {}
    )
    fits = GenerationMode.NEGATIVE not in modes.values()
    if not fits and modes.get("body") != GenerationMode.NEGATIVE:
        return None
    said = {
        "method": case.method,
        "path": case.path,
        "fits": fits,
        "query": case.query,
        "media_type": case.media_type,
    }
    if case.media_type is not None:
        said["body"] = _whole(case.body)
    try:
        json.dumps(said, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        return None
    return said


def _whole(value: Any) -> Any:
    """1.0 as 1: whether they are the same is left free."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _whole(one) for name, one in value.items()}
        case list():
            return [_whole(one) for one in value]
    return value


def _without_headers(document: Json) -> Json:
    """The document without header and cookie parameters and security: the caller knows what to send there."""
    references = document.get("components", {}).get("parameters", {})
    outside = {f"#/components/parameters/{name}" for name, one in references.items() if _is_outside(one)}

    def kept(holder: Json) -> Json:
        listed = holder.get("parameters", [])
        inside = [one for one in listed if not _is_outside(one) and one.get("$ref") not in outside]
        return (
            {**holder, "parameters": inside, "security": []}
            if "responses" in holder
            else {**holder, "parameters": inside}
        )

    paths = {
        path: kept(
            {
                name: kept(one) if isinstance(one, dict) and "responses" in one else one
                for name, one in item.items()
            }
        )
        for path, item in document["paths"].items()
    }
    return {**document, "paths": paths}


def _is_outside(parameter: Json) -> bool:
    return parameter.get("in") in ("header", "cookie")


def judged(document: Json, exchanges: list[Json]) -> list[str]:
    """For each answer, in which way it is not as documented; empty where it is."""
    schema = schemathesis.openapi.from_dict(document)
    return [_judged(schema[one["path"]][one["method"].upper()], one) for one in exchanges]


def _judged(operation: Any, exchange: Json) -> str:
    body = b64decode(exchange["body"])
    request = requests.Request(exchange["method"], f"http://127.0.0.1{exchange['target']}").prepare()
    headers: dict[str, list[str]] = {}
    for name, value in exchange["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    response = Response(exchange["status"], headers, body, request, 0.0, verify=False)
    case = operation.Case(path_parameters={one.name: "1" for one in operation.path_parameters})
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        return _told(group.exceptions[0])
    except Failure as failure:
        return _told(failure)
    media_types = operation.schema.get_content_types(operation, response)
    return (
        ""
        if media_types or not body
        else f"a body, where the document has none for status {response.status_code}"
    )


def _told(failure: Any) -> str:
    title = str(getattr(failure, "title", type(failure).__name__))
    return f"{title}\n{getattr(failure, 'message', failure)}"[:MOST_TEXT]


TASKS: dict[str, Callable[..., Any]] = {"faults": faults, "fits": fits, "cases": cases, "judged": judged}


def main() -> None:
    """First the document, then one task after the other, a line each. The processor's seconds are for each of them."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    given = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        asked = json.loads(line)
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + 1 + given["processor_seconds"]
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        result = TASKS[asked.pop("task")](json.loads(given["document"]), **asked)
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main()
