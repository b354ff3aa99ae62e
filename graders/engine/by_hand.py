"""Keeps a started service up for use by hand, and says how to reach it."""

import contextlib
import shlex
import shutil
from collections.abc import Mapping

from compose.binaries import find_binary
from compose.stores import PostgresServer, Stores, StoresFailed
from graders.engine.channel import Channel
from graders.engine.service import SubmittedService
from labs.catalog import Lab


def serve_by_hand(
    channel: Channel, lab: Lab, service: SubmittedService, identity: str = "", played: Mapping[str, str] = {}
) -> None:
    """Tell the addresses and wait: for the interrupt, or for the service to end by itself."""
    channel.note("")
    told = [
        *addresses(lab, service.web(), service.stores, identity),
        *_telling(service),
        *_around(played),
    ]
    for name, line in told:
        channel.note(f"  {name:10}{line}")
    channel.note("\nUp. The service's log follows; Ctrl-C ends everything.\n")
    code = service.await_end()
    channel.note(f"`web` ended with code {code}.")


def addresses(lab: Lab, web: str, stores: Stores, identity: str = "") -> list[tuple[str, str]]:
    """Pairs of what is reached and a line to paste. identity: where the provider that we play answers."""
    found = [("web", f"curl -i {web}/readyz"), *_as_somebody(web, identity)]
    if stores.postgres:
        for database in lab.dataset.databases if lab.dataset else ["billing"]:
            found.append(("postgres" if database == "billing" else "", psql(stores.postgres, database)))
        if stores.postgres.log.exists():
            found.append(
                ("", f"tail -f {shlex.quote(str(stores.postgres.log))}   # its log: every statement")
            )
    for name, server in {"cache": stores.cache, "queue": stores.queue}.items():
        if server:
            found.append((name, f"redis-cli -u {server.url()}"))
    return found


def _telling(service: SubmittedService) -> list[tuple[str, str]]:
    """Where workers that tell of themselves do so."""
    return [
        ("worker", f"curl -s {worker.url}/metrics") for worker in service.processes("worker") if worker.url
    ]


def _around(urls: Mapping[str, str]) -> list[tuple[str, str]]:
    """How the upstreams and the doors to all that the service calls are asked and told."""
    if not urls:
        return []
    return [
        ("mail", f"curl -s {urls['mail']}/calls                       # what the mail server was asked"),
        (
            "",
            f"curl -s -X POST {urls['mail']}/script/503,cut,hold  # what the next calls meet; also lose, work",
        ),
        (
            "payments",
            f"curl -s {urls['payments']}/calls                       # the same for the payment provider",
        ),
        (
            "faults",
            f"curl -s -X POST {urls['faults']}/cache/cut           # also queue, postgres, mail, payments",
        ),
        ("", f"curl -s -X POST {urls['faults']}/cache/heal          # also refuse, hold, half-open, delay"),
        ("", f"curl -s -X POST {urls['faults']}/worker/kill         # SIGKILL; stop is SIGTERM; then start"),
        (
            "",
            f"curl -s -X POST '{urls['faults']}/worker/start?JOB_LEASE_SECONDS=2'   # one more; also /web/start",
        ),
    ]


def _as_somebody(web: str, identity: str) -> list[tuple[str, str]]:
    """How a request says for whom it is made."""
    target = shlex.quote(f"{web}/v1/invoices/overdue?limit=3")
    if not identity:
        return [("", f"curl -s -H 'X-Tenant-ID: 1' {target}")]
    token = f'"Authorization: Bearer $(curl -s {identity}/token/octavia-clerk)"'
    return [
        ("", f"curl -s -H {token} {target}"),
        ("tokens", f"curl -s {identity}/token/octavia-clerk           # a token for that user"),
        ("", f"curl -s {identity}/token/octavia-clerk/expired   # one as an attacker has it; /x names all"),
        ("", f"curl -s -X POST {identity}/rotate                # a new key; also /withdraw, /down, /up"),
    ]


def psql(server: PostgresServer, database: str) -> str:
    """A psql line as the schema's owner; the psql of the embedded Postgres where the machine has none."""
    program = "psql"
    if not shutil.which(program):
        with contextlib.suppress(StoresFailed):
            program = str(find_binary("psql"))
    return f"{program} {server.url(server.owner, database)}"
