"""An OpenAPI document as a stranger gets it: fetched, bounded, and read without following a reference out of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from graders.check import Failure
from graders.probes.api import Answer, Api

PATH = "/openapi.json"
MOST_BYTES = 1024 * 1024
MOST_NODES = 50_000
MOST_DEPTH = 100
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
BECAUSE = "Other teams build on the document and on nothing else: what can't be read from it does not exist for them."

Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path. `path` is the key in the document, `full_path` with the path of `servers` before it."""

    method: str
    path: str
    full_path: str
    content: Json
    parameters: tuple[Json, ...]

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.full_path}"


@dataclass(frozen=True)
class Document:
    """The document and the line that fetches it."""

    did: str
    content: Json

    @property
    def base(self) -> str:
        """The path that stands before all others: that of the first server."""
        return _base(self.content)

    def resolved(self, node: Any) -> Any:
        """The node, or what its `$ref` leads to. Raises Failure for one that leads nowhere, or in a circle."""
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if reference in seen:
                self.refuse(f"{reference} leads back to itself")
            seen.add(reference)
            node = self._target(reference)
        return node

    def operations(self) -> list[Operation]:
        """All operations, parameters resolved and those of the path included."""
        paths = self.content.get("paths")
        items = paths.items() if isinstance(paths, dict) else ()
        return [operation for path, item in items for operation in self._operations(path, item)]

    def refuse(self, got: str) -> NoReturn:
        """Raise the Failure of a document that can't be worked from."""
        raise Failure(expected=EXPECTED, got=got, because=BECAUSE, did=self.did)

    def _operations(self, path: str, item: Any) -> Iterator[Operation]:
        item = self.resolved(item)
        if not isinstance(item, dict):
            return
        for method in METHODS:
            content = self.resolved(item.get(method))
            if isinstance(content, dict):
                parameters = self._parameters(item) | self._parameters(content)
                full_path = self.base + path
                yield Operation(method, path, full_path, content, tuple(parameters.values()))

    def _parameters(self, holder: Json) -> dict[tuple[str, str], Json]:
        listed = self.resolved(holder.get("parameters", []))
        parameters = [self.resolved(one) for one in (listed if isinstance(listed, list) else [])]
        return {
            (str(one.get("in")), str(one.get("name"))): one for one in parameters if isinstance(one, dict)
        }

    def _target(self, reference: str) -> Any:
        node: Any = self.content
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and name in node:
                node = node[name]
            elif isinstance(node, list) and name.isascii() and name.isdigit() and int(name) < len(node):
                node = node[int(name)]
            else:
                self.refuse(f"{reference} leads to nothing in the document")
        return node


EXPECTED = "An OpenAPI 3.0 or 3.1 document of at most 1 MiB, whole: each $ref leads into the document itself."


def fetch(api: Api) -> Document:
    """The document that the service serves. Raises Failure where it can't be worked from at all."""
    answer = api.get(PATH).expect(200, because=BECAUSE)
    if len(answer.body) > MOST_BYTES:
        _refuse(answer, f"{len(answer.body)} bytes")
    content = answer.json()
    if not isinstance(content, dict) or not isinstance(content.get("paths"), dict):
        _refuse(answer, f"no object with `paths`: {answer.summary()}")
    if not str(content.get("openapi")).startswith(("3.0", "3.1")):
        _refuse(answer, f"openapi: {content.get('openapi')!r:.100}")
    fault = _screened(content)
    if fault:
        _refuse(answer, fault)
    return Document(answer.did, content)


def _refuse(answer: Answer, got: str) -> NoReturn:
    raise Failure(expected=EXPECTED, got=got, because=BECAUSE, did=answer.did)


def _screened(content: Json) -> str:
    """Why the document is too much, or leads away; empty for one that is fit to work with."""
    waiting: list[tuple[Any, int]] = [(content, 1)]
    nodes = 0
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if nodes > MOST_NODES:
            return f"more than {MOST_NODES} values"
        if depth > MOST_DEPTH:
            return f"values nested more than {MOST_DEPTH} deep"
        reference = node.get("$ref") if isinstance(node, dict) else None
        if isinstance(reference, str) and not (reference == "#" or reference.startswith("#/")):
            return f"$ref: {reference[:200]}"
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        waiting += [(value, depth + 1) for value in inner]
    return ""


def _base(content: Mapping[str, Any]) -> str:
    """The path of the first server, its variables at their defaults."""
    servers = content.get("servers")
    server = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], dict) else {}
    url = str(server.get("url", ""))
    variables = server.get("variables")
    for name, variable in variables.items() if isinstance(variables, dict) else ():
        if isinstance(variable, dict):
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""
