"""For whom requests are made in one grade: a gateway says so, or tokens of a provider that the kit plays.

In a grade the provider makes out tokens for the checks alone. By hand, whoever asks it gets one.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from compose.enclosure import Enclosure
from compose.ports import promised
from compose.stores import FixedAddresses, StoresFailed
from graders.probes.identity import IdentityProvider, drawn_provider, environment, new_key, unusable
from graders.probes.played import BROKEN, Answers, Asked, PlayedServer, Reply
from graders.probes.tokens import DEFECTS, VARIANTS, boasting
from labs.catalog import Lab

GATEWAY = {"IDENTITY": "gateway"}


@dataclass(frozen=True)
class Identity:
    """What the service is told, and who makes out its tokens: None where a gateway is in front."""

    environment: Mapping[str, str]
    provider: IdentityProvider | None = None
    url: str = ""


def refuse_compose(lab: Lab) -> None:
    """Docker Compose serves without us, and so without what we play. Raises StoresFailed."""
    played = {
        "an identity provider": lab.identity == "tokens",
        "a mail server and a payment provider": "queue" in lab.stores,
    }
    if needed := " and ".join(name for name, needs in played.items() if needs):
        raise StoresFailed(
            f"{lab.id} needs {needed}, which Docker Compose cannot play.",
            f"This can: `octo_lab run {lab.id}`, also with `--on docker`.",
        )


def ways_out(lab: Lab) -> int:
    """How many ways out of an enclosure the provider takes: always the first ones."""
    return int(lab.identity == "tokens")


def identity_of(
    lab: Lab,
    stack: ExitStack,
    enclosure: Enclosure | None,
    fixed: FixedAddresses | None,
    say: Callable[[str], None],
) -> Identity:
    """The lab's identity mode, with its provider up until the stack ends. `enclosure`: where the service is shut in."""
    if lab.identity == "gateway":
        return Identity(GATEWAY)
    provider = drawn_provider()
    port = next(promised(fixed.identity, say)) if fixed else 0
    server = PlayedServer(by_hand(provider) if fixed else provider.answer, port)
    stack.callback(server.close)
    seen = server.port
    if enclosure:
        stack.enter_context(enclosure.leads_to(server.port))
        seen = enclosure.ports.out[0]
    provider.seen_at(seen)
    return Identity(environment(provider, seen), provider, server.url)


def by_hand(provider: IdentityProvider) -> Answers:
    """The provider as a person uses it with curl.

    GET /token/SUBJECT        an access token for that user, as plain text
    GET /token/SUBJECT/NAME   one that was tampered with, or a right one in an unusual form
    GET /fetches              how often the service has asked for the keys
    POST /rotate              from now on a new key signs; the old ones stay published, beside some that nobody can use
    POST /withdraw            only the newest key stays published
    POST /down, POST /up      answer the service no more, or again
    POST /break               answer it 500, until /up
    """
    forges = {defect.name: defect.forge for defect in (*DEFECTS, *VARIANTS)}
    forges["boasting"] = boasting
    actions: dict[str, Callable[[], None]] = {
        "/rotate": partial(_rotate, provider),
        "/withdraw": partial(_withdraw, provider),
        "/down": partial(provider.go, down=True),
        "/up": partial(provider.go, down=False),
        "/break": partial(provider.fall_into, lambda: BROKEN),
    }

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST" and asked.path in actions:
            actions[asked.path]()
            return _text(f"done; published now: {', '.join(key.kid for key in provider.keys)}")
        match asked.path.strip("/").split("/"):
            case ["token", subject]:
                return _text(provider.token(subject, key=provider.keys[-1]))
            case ["token", subject, attack] if attack in forges:
                return _text(forges[attack](provider, subject))
            case ["fetches"]:
                return _text(f"The keys were asked for {provider.fetches} times.\n")
            case ["token", *_]:
                return _text(f"Names: {', '.join(forges)}", 404)
        return provider.answer(asked)

    return answer


def _rotate(provider: IdentityProvider) -> None:
    provider.publish_beside(unusable())
    provider.publish(new_key("RS256"))


def _withdraw(provider: IdentityProvider) -> None:
    for key in provider.keys[:-1]:
        provider.withdraw(key)


def _text(text: str, status: int = 200) -> Reply:
    return Reply(status, text.encode(), "text/plain")
