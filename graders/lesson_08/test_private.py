"""Whatever is sent and whatever fails: no line of any process holds what is secret or personal."""

import json
import re
from collections.abc import Iterator

from graders.check import check, expect
from graders.lesson_08.lines import Lines
from graders.lesson_08.world import World
from graders.probes.api import Answer
from graders.probes.json_lines import objects
from graders.probes.upstreams import CUT, Upstreams, refuse

MOST_SHOWN = 30  # characters of a name or a message
URL_WITH_PASSWORD = re.compile(r"\w+://[^/\s:@\"]*:[^/\s@\"*\[]{8,}@")


@check("nothing-private", needs=["contract-kept"])
def test_nothing_private(world: World, lines: Lines, upstreams: Upstreams) -> None:
    """No line holds a password, a header that opens doors, a body, an address or a query, whatever fails."""
    thrown = Thrown(world)
    for answer in thrown.all(upstreams):
        lines.awaited(answer)
    world.all_ended()
    lines.one(world.send("GET", "/v1/customers?limit=1"))
    printed = lines.printed.since(0)
    for what, (needle, did) in thrown.needles.items():
        line = next((line for line in printed if needle.lower() in line.lower()), None)
        expect(
            line is None,
            expected=f"No line that holds {what}.",
            got=f"a line tells {what}: {_where(line, needle)}\n{_around(line, needle)}",
            because="Logs are read by many, kept for months and sent to other firms. What is in them has been published.",
            did=did,
        )
    line = next((line for line in printed if "@example.org" in line), None)
    expect(
        line is None,
        expected="No line with an e-mail address, whatever failed.",
        got=f"a line tells an e-mail address: {_where(line, '@example.org')}\n{_around(line, '@example.org')}",
        because="An address in a log is a person in a log.",
    )
    line = next((line for line in printed if URL_WITH_PASSWORD.search(line)), None)
    expect(
        line is None,
        expected="No line with the password of an address.",
        got=f"a line tells a URL with its password: {_where(line, '://')}",
        because="Whoever reads the log can log in to the database.",
    )


class Thrown:
    """Requests that are full of secrets. needles: by what it is, each secret and the line that sends it again."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.needles: dict[str, tuple[str, str]] = {}

    def all(self, upstreams: Upstreams) -> Iterator[Answer]:
        yield from self._jobs(upstreams)  # first, since its second try takes a while to come
        yield from self._headers()
        yield from self._bodies()
        yield from self._queries()

    def _keep(self, answer: Answer, **secrets: str) -> Answer:
        for what, secret in secrets.items():
            self.needles[what.replace("_", " ")] = (secret, answer.did)
        return answer

    def _headers(self) -> Iterator[Answer]:
        for scheme in ("Bearer", "Basic", "Digest"):
            secret, cookie, email = self.world.word(), self.world.word(), self.world.word()
            headers = {
                "Authorization": f"{scheme} {secret}",
                "Cookie": f"session={cookie}",
                "X-User-ID": f"{email}@example.org",
                "X-Request-ID": f"{email}@example.org",
            }
            answer = self.world.send("GET", "/v1/customers?limit=1", headers=headers)
            kept = {
                f"an_Authorization_header_({scheme})": secret,
                "a_cookie": cookie,
                "an_address_sent_as_an_id": email,
            }
            yield self._keep(answer, **kept)

    def _bodies(self) -> Iterator[Answer]:
        street = {"city": "Bonn", "country": "DE", "street": f"{self.world.word()} street"}
        for what, name, more in (
            ("of_a_customer", "", {}),
            ("of_a_body_that_is_refused", "", {"vip": True}),
            ("of_a_body_that_fails", "Embargo ", {}),
        ):
            word, email = self.world.word(), self.world.word()
            body = {"name": name + word, "email": f"{email}@example.org", "address": street, **more}
            answer = self.world.send("POST", "/v1/customers", body)
            kept = {f"a_name_{what}": word, f"an_e-mail_address_{what}": email}
            yield self._keep(answer, **kept, a_street_of_a_body=street["street"])

    def _queries(self) -> Iterator[Answer]:
        word, number, key = self.world.word(), self.world.word(), self.world.word()
        yield self._keep(self.world.send("GET", f"/v1/customers?limit=1&cursor={word}"), a_query=word)
        yield self._keep(
            self.world.send("GET", f"/v1/invoices/by-number/{number}@example.org"),
            an_address_in_a_path=number,
        )
        body = {"name": "Bo", "email": "bo@example.org"}
        headers = {"Idempotency-Key": f"{key}@example.org"}
        answer = self.world.send("POST", "/v1/customers", body, headers=headers)
        yield self._keep(answer, an_address_in_an_idempotency_key=key)

    def _jobs(self, upstreams: Upstreams) -> Iterator[Answer]:
        """A mail whose first try is cut off and whose second is refused."""
        email = self.world.word()
        address = f"{email}@example.org"
        upstreams.mail.script(address, CUT, refuse(422))
        invoice = self.world.draft(self.world.customer(email=address))
        due = {"due_on": "2026-12-31"}
        answer = self.world.send("POST", f"/v1/invoices/{invoice['id']}/send", due)
        yield self._keep(answer, the_recipient_of_a_mail=email)


def _where(line: str | None, needle: str) -> str:
    """The field that holds the needle, and the message of its line, or the beginning of it."""
    for fields in objects([line or ""]):
        held = [name for name, value in fields.items() if needle.lower() in json.dumps(value).lower()]
        field = f'"{held[0][:MOST_SHOWN]}" of ' if held else ""
        return f'{field}"{str(fields.get("message"))[:MOST_SHOWN]}"'
    return "it is no JSON"


def _around(line: str | None, needle: str) -> str:
    """What stands around the needle."""
    at = (line or "").lower().find(needle.lower())
    before, after = (line or "")[: max(at, 0)], (line or "")[at + len(needle) :]
    return f"...{before[-60:]}(here){after[:30]}..."
