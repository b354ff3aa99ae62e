"""The role matrix: as permissions.toml writes it, as the lesson's rules have it, and as the service keeps it."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from graders.check import Failure
from graders.lesson_06 import effects
from graders.lesson_06.callers import Caller, Request
from graders.lesson_06.requests import request_for
from graders.lesson_06.rules import ROLES, RULES, Rule
from graders.lesson_06.world import World
from graders.probes.api import Answer

PATH = "permissions.toml"
ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/v1/\S+)")
Listed = dict[str, frozenset[str]]


def listed(text: str | None) -> Listed:
    """The roles of each route in the file, by `METHOD /path` with the names in braces left out. Raises Failure."""
    try:
        content = tomllib.loads(text or "")
        table = content["permissions"]
        if set(content) != {"permissions"} or not isinstance(table, dict):
            raise ValueError("there is more in it than the one table [permissions]")
        return {_key(route): _roles(route, roles) for route, roles in table.items()}
    except (KeyError, ValueError, TypeError, RecursionError) as fault:
        what = f"there is no table {fault}" if isinstance(fault, KeyError) else str(fault)
        raise Failure(
            expected=f'{PATH} is one table, [permissions], with rows "METHOD /path" = ["role", ...].',
            got="there is no such file" if text is None else what[:300],
            because="A list that only its author can read protects nobody.",
            did=f"cat work/lesson-06/{PATH}",
        ) from None


def disagreements(found: Listed) -> list[str]:
    """What the file says and the rules do not, or the other way round, a line each. Routes beyond the rules are free."""
    faults = []
    for rule in RULES:
        roles = found.get(_key(rule.route))
        if roles is None:
            faults.append(f"{rule.route}: is not listed, so it is closed to everybody")
        elif roles != rule.roles:
            more, fewer = sorted(roles - rule.roles), sorted(rule.roles - roles)
            says = [
                f"lets {', '.join(more)} in" if more else "",
                f"keeps {', '.join(fewer)} out" if fewer else "",
            ]
            faults.append(f"{rule.route}: {' and '.join(part for part in says if part)}")
    return faults


def _key(route: str) -> str:
    match = ROUTE.fullmatch(route)
    if not match:
        raise ValueError(f"{route!r} is not a method, a space and a path")
    return f"{match[1]} {re.sub(r'{[^}]*}', '{}', match[2])}"


def _roles(route: str, roles: Any) -> frozenset[str]:
    if not isinstance(roles, list) or not {*map(str, roles)} <= {*ROLES}:
        raise ValueError(f"{route!r} has {roles!r}, which is no list of roles")
    return frozenset(map(str, roles))


@dataclass(frozen=True)
class Cell:
    """One role at one route, where the service did something else than the rules say."""

    rule: Rule
    role: str
    expected: str
    got: str
    did: str


def leaks(world: World) -> list[Cell]:
    """Every cell is tried. Those that are open and should be closed come first."""
    wrong = []
    for rule in RULES:
        for role in ROLES:
            request = request_for(rule, world)
            cell = _try(world, world.caller(role), rule, request)
            if cell:
                wrong.append(cell)
    return sorted(wrong, key=lambda cell: cell.role in cell.rule.roles)


def told(cell: Cell) -> str:
    """A cell in a line."""
    return f"{cell.role}, {cell.rule.route}: {cell.got.partition(chr(10))[0]}"


def _try(world: World, caller: Caller, rule: Rule, request: Request) -> Cell | None:
    permitted = caller.role in rule.roles
    before = world.state(caller.tenant) if rule.writes else {}
    answer = caller.ask(request)
    after = world.state(caller.tenant) if rule.writes else {}
    got = ""
    if permitted:
        expected = f"Status {rule.status}, and what was asked for is done, and no more"
        if answer.status != rule.status:
            got = answer.summary()
        elif fault := effects.fault(rule, request, before, after):
            got = f"{fault}; {answer.summary()}"
            world.put_back()
    else:
        expected = "Status 403, and nothing happens"
        if before != after:
            got = f"the tenant's records were changed; {answer.summary()}"
            world.put_back()
        elif not _is_forbidden(answer):
            got = answer.summary()
    if not got:
        return _try_head(caller, rule, request)
    return Cell(rule, caller.role, f"{expected}: {caller.role} and {rule.route}.", got, answer.did)


def _try_head(caller: Caller, rule: Rule, request: Request) -> Cell | None:
    """HEAD goes with GET."""
    if rule.method != "GET":
        return None
    answer = caller.ask(Request("HEAD", request.path))
    wanted = rule.status if caller.role in rule.roles else 403
    if answer.status == wanted:
        return None
    who = f"Status {wanted}, as GET has it: {caller.role} and HEAD {rule.template}."
    return Cell(rule, caller.role, who, answer.summary(), answer.did)


def _is_forbidden(answer: Answer) -> bool:
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if answer.status != 403 or media_type != "application/problem+json":
        return False
    body = answer.json()
    return isinstance(body, dict) and body.get("type") == "urn:problem-type:billing:forbidden"
