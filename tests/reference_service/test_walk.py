"""The examples of CONTRACT.md are true: they are run in their order on an empty database."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.reference_service.running import SERVICE, Database, Web, started, web_env

BLOCK = re.compile(r"```http\n(.*?)```", re.DOTALL)
TIMES = {"created_at", "received_at"}


@dataclass(frozen=True)
class Message:
    """A request or an answer of the contract."""

    first: str
    headers: dict[str, str]
    body: Any


def message(block: str) -> Message:
    head, _, body = block.partition("\n\n")
    first, *lines = head.strip().splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    return Message(first, headers, json.loads(body) if body.strip() else None)


def walk() -> list[tuple[Message, Message]]:
    messages = [message(block) for block in BLOCK.findall((SERVICE / "CONTRACT.md").read_text())]
    return list(zip(messages[::2], messages[1::2], strict=True))


def alike(name: str, shown: Any, came: Any) -> Any:
    """What came, but where the contract leaves a value free, what is shown; its form must be right."""
    if name == "next_cursor" and shown:
        assert isinstance(came, str)
        return shown
    if name == "detail":
        assert isinstance(came, str)
        return shown
    if name in TIMES:
        for text in (shown, came):
            assert datetime.fromisoformat(text).utcoffset() is not None
        return shown
    if isinstance(shown, dict) and isinstance(came, dict):
        return {key: alike(key, shown.get(key), value) for key, value in came.items()}
    if isinstance(shown, list) and isinstance(came, list) and len(shown) == len(came):
        return [alike("", *pair) for pair in zip(shown, came, strict=True)]
    return came


def run_step(web: Web, request: Message, answer: Message) -> None:
    method, path = request.first.split()
    body = {} if request.body is None else {"json": request.body}
    came = web.call(method, path, headers=request.headers, **body)
    assert (request.first, came.status_code) == (request.first, int(answer.first))
    wanted = {"Content-Type": "application/json", **answer.headers}
    assert {name: came.headers.get(name) for name in wanted} == wanted
    assert alike("", answer.body, came.json()) == answer.body


def test_the_walk_is_as_the_contract_shows_it(database: Database, base_env: dict[str, str]) -> None:
    assert database.add_tenant("EUR") == 1
    with started(web_env(database, base_env)) as web:
        for request, answer in walk():
            run_step(web, request, answer)


def test_the_walk_shows_every_kind_of_write() -> None:
    shown = {request.first.partition("?")[0] for request, _ in walk()}
    assert len(walk()) > 10
    assert {"POST /v1/invoices/1/send", "POST /v1/invoices/1/payments", "POST /v1/invoices/2/void"} <= shown
