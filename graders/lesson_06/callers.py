"""Who calls: a user of the dataset with tokens of the provider, in the words of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graders.check import expect
from graders.probes.api import Answer, Api, Bearer
from graders.probes.identity import PROVIDER_PORT, IdentityProvider

PROVIDER_SHOWN = f"http://127.0.0.1:{PROVIDER_PORT}"
BECAUSE_CONTRACT = (
    "Clients were written against CONTRACT.md: an answer that leaves it breaks all of them at once."
)
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True)
class Request:
    """What is asked, whoever asks it."""

    method: str
    path: str
    body: object = None
    headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, headers: Mapping[str, str]) -> "Request":
        return replace(self, headers=(*self.headers, *headers.items()))


@dataclass(frozen=True)
class Caller:
    """A user. Each request carries a fresh token, signed by any of the provider's keys."""

    api: Api
    provider: IdentityProvider
    subject: str
    role: str
    tenant: int
    shown_as: str = ""  # a user of the dataset with the same rights, for a user whom only the grader has

    def ask(self, request: Request) -> Answer:
        return ask(self.api, request, self.bearer())

    def get(self, path: str, **params: str | int) -> Answer:
        return self.api.send("GET", path, params=params or None, bearer=self.bearer())

    def bearer(self, **claims: Any) -> Bearer:
        """A right token, but for claims that are changed."""
        token = self.provider.token(self.subject, key=self.provider.next_key(), **claims)
        return Bearer(token, shown(self.shown_as or self.subject))

    def at(self, api: Api) -> "Caller":
        """The same user, calling another process."""
        return replace(self, api=api)


def ask(api: Api, request: Request, bearer: Bearer | None = None) -> Answer:
    """Send the request with this token, or none."""
    return api.send(
        request.method, request.path, json=request.body, headers=dict(request.headers), bearer=bearer
    )


def shown(subject: str, attack: str = "") -> str:
    """How a person gets such a token while `octo_lab run` is up."""
    return f"$(curl -s {PROVIDER_SHOWN}/token/{subject}{'/' + attack if attack else ''})"


def expect_refused(answer: Answer, status: int, what: str, because: str) -> None:
    """A 401 or 403 in the one shape that all refusals have, with its own type."""
    expect(
        answer.status == status,
        expected=f"Status {status} for {what}.",
        got=answer.summary(),
        because=because,
        did=answer.did,
    )
    kind = {401: "unauthenticated", 403: "forbidden"}[status]
    body = _problem(answer)
    expect(
        body.get("type") == f"urn:problem-type:billing:{kind}" and body.get("status") == status,
        expected=f"A problem document (application/problem+json) of type urn:problem-type:billing:{kind}, status {status}.",
        got=f"Content-Type {answer.headers.get('Content-Type', 'missing')}; {answer.summary()}",
        because=BECAUSE_CONTRACT,
        did=answer.did,
    )


def _problem(answer: Answer) -> dict[str, Any]:
    """The problem document, or an empty one where there is none. HEAD has no body to look at."""
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    body = answer.json() if media_type == "application/problem+json" else None
    return body if isinstance(body, dict) else {}
