"""Whether the document has all that there is: each promised operation with its parameters, body and answers."""

from collections.abc import Iterator
from typing import Any

from graders.lesson_02.promised import PROBLEM, PROMISES, Promise, find
from graders.probes.openapi_document import Document, Operation


def gaps(document: Document) -> list[str]:
    """What is missing, a line each."""
    return [gap for promise in PROMISES for gap in _gaps(document, promise)]


def _gaps(document: Document, promise: Promise) -> Iterator[str]:
    operation = find(document, promise.method, promise.path)
    if operation is None:
        yield f"{promise.name} answers, and is not in it"
        return
    yield from (f"{promise.name}: {gap}" for gap in _parameter_gaps(document, operation, promise))
    yield from (f"{promise.name}: {gap}" for gap in _body_gaps(document, operation, promise))
    yield from (f"{promise.name}: {gap}" for gap in _answer_gaps(document, operation, promise))


def _parameter_gaps(document: Document, operation: Operation, promise: Promise) -> Iterator[str]:
    named = {(str(one.get("in")), str(one.get("name")).lower()) for one in operation.parameters}
    if promise.path.startswith("/v1") and ("header", "x-tenant-id") not in named | _api_keys(
        document, operation
    ):
        yield "nothing says that X-Tenant-ID must be sent"
    yield from (f"no query parameter {name}" for name in promise.query if ("query", name) not in named)
    if promise.key and ("header", "idempotency-key") not in named:
        yield "no header parameter Idempotency-Key"


def _api_keys(document: Document, operation: Operation) -> set[tuple[str, str]]:
    """Where the security schemes of the operation want a key."""
    components = document.content.get("components")
    schemes = components.get("securitySchemes") if isinstance(components, dict) else None
    wanted = operation.content.get("security", document.content.get("security"))
    names = {
        name for one in (wanted if isinstance(wanted, list) else []) if isinstance(one, dict) for name in one
    }
    found = set()
    for name in names:
        scheme = document.resolved(schemes.get(name)) if isinstance(schemes, dict) else None
        if isinstance(scheme, dict) and scheme.get("type") == "apiKey":
            found.add((str(scheme.get("in")), str(scheme.get("name")).lower()))
    return found


def _body_gaps(document: Document, operation: Operation, promise: Promise) -> Iterator[str]:
    body = document.resolved(operation.content.get("requestBody"))
    kinds = media_types(body)
    if promise.body and promise.body not in kinds:
        yield f"no body of {promise.body}"
    elif promise.body and "schema" not in kinds[promise.body]:
        yield f"the body of {promise.body} has no schema"


def _answer_gaps(document: Document, operation: Operation, promise: Promise) -> Iterator[str]:
    if promise.shape is not None and "schema" not in media_types(
        answer_of(document, operation, promise.status)
    ).get("application/json", {}):
        yield f"no {promise.status} with a schema of application/json"
    elif answer_of(document, operation, promise.status) is None:
        yield f"no {promise.status}"
    for status in promise.refusals:
        if "schema" not in media_types(answer_of(document, operation, status)).get(PROBLEM, {}):
            yield f"no {status} (nor 4XX, nor default) with a schema of {PROBLEM}"


def answer_of(document: Document, operation: Operation, status: int) -> Any:
    """What the operation says of a status: by itself, by its class, or by default. None: nothing."""
    responses = document.resolved(operation.content.get("responses"))
    if not isinstance(responses, dict):
        return None
    for name in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
        if name in responses:
            return document.resolved(responses[name])
    return None


def media_types(holder: Any) -> dict[str, dict[str, Any]]:
    """The media types of a body or an answer, in small letters and without parameters."""
    content = holder.get("content") if isinstance(holder, dict) else None
    if not isinstance(content, dict):
        return {}
    return {
        str(name).partition(";")[0].strip().lower(): one
        for name, one in content.items()
        if isinstance(one, dict)
    }
