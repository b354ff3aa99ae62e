"""A stranger who has only the document: with it a customer is made, an invoice drafted, sent and paid."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from graders.check import Failure, expect
from graders.lesson_02.completeness import media_types
from graders.lesson_02.located import path_of
from graders.lesson_02.promised import plain
from graders.probes.api import Answer, Api
from graders.probes.openapi_bench import Case
from graders.probes.openapi_document import Document, Operation

BECAUSE = (
    "The other team has the document and a deadline. What they can't do with it becomes a meeting with you."
)
TRIES = 40
# What no schema can say; the stranger tries another body.
BY_CHANCE = (409, 422)


@dataclass
class Stranger:
    """Knows the address of the service, its tenant, the document, and in words what the four steps are."""

    http: Api
    document: Document
    tenant: int
    cases: Sequence[Case]
    known: dict[str, str] = field(default_factory=dict)

    def create(self, path: str) -> Answer:
        """POST to this path; what its Location tells is known from then on."""
        operation = self._operation("post", path)
        answer = self._try_bodies(operation, {})
        location = answer.headers.get("Location", "")
        self._learn(path_of(location, operation.full_path), answer)
        return answer

    def step(self, path: str, given: Mapping[str, Any]) -> Answer:
        """POST to this path; `given` are the values that the stranger has come with, by the name of the field."""
        return self._try_bodies(self._operation("post", path), given)

    def look(self, path: str) -> Answer:
        operation = self._operation("get", path)
        return self.http.send("GET", self._filled(operation), tenant=self.tenant)

    def _operation(self, method: str, path: str) -> Operation:
        for one in self.document.operations():
            if one.method == method and plain(one.full_path) == path:
                return one
        raise Failure(
            expected=f"The document has {method.upper()} {path.replace('{}', '{...}')}.",
            got="it is not there",
            because=BECAUSE,
            did=self.document.did,
        )

    def _try_bodies(self, operation: Operation, given: Mapping[str, Any]) -> Answer:
        """The first success, with one body after the other: examples of the document, then made from its schema."""
        answer: Answer | None = None
        target = self._filled(operation)
        for media_type, body in self._bodies(operation):
            filled = {**body, **{name: value for name, value in given.items() if name in body}}
            headers = {"Content-Type": media_type}
            answer = self.http.send("POST", target, tenant=self.tenant, json=filled, headers=headers)
            if answer.status in (200, 201):
                return answer
            if answer.status not in BY_CHANCE:
                break
        raise Failure(
            expected=f"{operation.name} works with a body that is an example of the document or made from its schema.",
            got=answer.summary() if answer else "the document has no JSON body that is an object",
            because=BECAUSE,
            did=answer.did if answer else self.document.did,
        )

    def _bodies(self, operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
        body = self.document.resolved(operation.content.get("requestBody"))
        for media_type, content in media_types(body).items():
            for example in self._examples(content):
                if isinstance(example, dict):
                    yield media_type, example
        made = [
            case
            for case in self.cases
            if (case.method, case.path) == ("POST", operation.path)
            and case.fits
            and isinstance(case.body, dict)
        ]
        for case in made[:TRIES]:
            yield str(case.media_type), case.body

    def _examples(self, content: dict[str, Any]) -> Iterator[Any]:
        """Of the media type, then of its schema."""
        if "example" in content:
            yield content["example"]
        examples = content.get("examples")
        for one in examples.values() if isinstance(examples, dict) else ():
            one = self.document.resolved(one)
            if isinstance(one, dict) and "value" in one:
                yield one["value"]
        schema = self.document.resolved(content.get("schema"))
        if isinstance(schema, dict):
            if "example" in schema:
                yield schema["example"]
            listed = schema.get("examples")
            yield from listed if isinstance(listed, list) else ()

    def _learn(self, location: str, answer: Answer) -> None:
        """Which documented path the Location is; the values in it stand for its parameters wherever these come again."""
        for one in self.document.operations():
            path = one.full_path
            names = re.findall(r"\{([^{}/]*)\}", path)
            pattern = "".join(
                "([^/]+)" if part.startswith("{") else re.escape(part)
                for part in re.split(r"(\{[^{}/]*\})", path)
            )
            found = re.fullmatch(pattern, location)
            if one.method == "get" and names and found:
                values = dict(zip(self._places(path), map(unquote, found.groups()), strict=True))
                self.known |= values
                return
        raise Failure(
            expected="The Location of a 201 is one of the document's paths, so that a stranger knows what to ask next.",
            got=f"Location: {location}\n{answer.summary()}",
            because=BECAUSE,
            did=answer.did,
        )

    def _filled(self, operation: Operation) -> str:
        path = operation.full_path
        for place, parameter in zip(self._places(path), re.findall(r"\{[^{}/]*\}", path), strict=True):
            path = path.replace(parameter, self.known.get(place, "unknown"), 1)
        return path

    @staticmethod
    def _places(path: str) -> list[str]:
        """The path up to each parameter, which tells of what it is the id: /v1/customers/{}."""
        return [plain(path[: match.end()]) for match in re.finditer(r"\{[^{}/]*\}", path)]


def expect_usable(stranger: Stranger) -> None:
    """The four steps, and the invoice is paid in the end."""
    stranger.create("/v1/customers")
    draft = stranger.create("/v1/customers/{}/invoices").json()
    stranger.step("/v1/invoices/{}/send", {})
    cents = draft.get("total_cents") if isinstance(draft, dict) else None
    stranger.step("/v1/invoices/{}/payments", {"amount_cents": cents})
    looked = stranger.look("/v1/invoices/{}")
    invoice = looked.json() if looked.status == 200 else None
    expect(
        isinstance(invoice, dict) and invoice.get("status") == "paid" and invoice.get("paid_cents") == cents,
        expected=f"The invoice that was drafted, sent, and paid with {cents} cents is paid.",
        got=looked.summary(),
        because=BECAUSE,
        did=looked.did,
    )
