"""Jobs that fail for as long as they are tried, recorded while other checks run; and two that are held for a whole try."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, ParamSpec

from graders.check import Failure
from graders.lesson_07.jobs import all_ended, charge, remind
from graders.lesson_07.world import Invoice, World
from graders.probes.upstreams import HOLD, Call, refuse, waits

P = ParamSpec("P")

CHARGES, MAILS = 12, 8  # enough to tell waits that are drawn from waits that are late
SECONDS = 100.0


@dataclass(frozen=True)
class Case:
    """One job: its kind, what it is about, and where it is found."""

    kind: str
    invoice: Invoice
    path: str


def judged_later(test: Callable[P, None]) -> Callable[P, None]:
    """A check of what `failing` recorded: where it fails, the log of that time is shown, and not of now."""

    @wraps(test)
    def judged(*arguments: P.args, **fixtures: P.kwargs) -> None:
        try:
            test(*arguments, **fixtures)
        except Failure as failure:
            failing = fixtures["failing"]
            assert isinstance(failing, Failing), "a fixture of that name"
            failure.during = (failing.began, failing.over or time.monotonic())
            raise

    return judged


class Failing:
    """`exhausted` meet 503 in every try; `held` are answered by nothing in the first, until its caller gives up."""

    def __init__(self, whole: World) -> None:
        self.world = world = replace(whole, _held=[], tenants=[])
        world.renew(random.Random())  # noqa: S311 - a tenant, not a secret
        world.workers(2)
        self.began, self.over = time.monotonic(), 0.0
        self.exhausted = tuple(self._ordered(world, refuse(503)))
        held = world.invoice()
        world.script(held, HOLD)
        self.held = (
            Case("charge", held, charge(world, held, 100).path),
            Case("mail", held, remind(world, held).path),
        )
        self._ended: list[dict[str, Any]] = []
        self._until_then: dict[Case, tuple[Call, ...]] = {}

    def _ordered(self, world: World, refusal: Any) -> Iterator[Case]:
        for number in range(CHARGES + MAILS):
            invoice = world.invoice()
            world.script(invoice, then=refusal)
            if number < CHARGES:
                yield Case("charge", invoice, charge(world, invoice, 100).path)
            else:
                yield Case("mail", invoice, remind(world, invoice).path)

    def calls(self, case: Case) -> tuple[Call, ...]:
        world = self.world
        return world.charges(case.invoice) if case.kind == "charge" else world.mails(case.invoice)

    def recorded(self, case: Case) -> tuple[Call, ...]:
        """The calls until the job had ended."""
        return self._until_then.get(case) or self.calls(case)

    def waits(self, case: Case) -> tuple[float, ...]:
        return waits(self.recorded(case))

    def ended(self, because: str, did: str) -> Sequence[tuple[Case, dict[str, Any]]]:
        """The exhausted ones with what they say in the end. Raises Failure where one does not end."""
        if not self._ended:
            paths = [case.path for case in self.exhausted]
            self._ended = all_ended(self.world, paths, because, did, SECONDS)
            self.over = time.monotonic()
            self._until_then = {case: self.calls(case) for case in self.exhausted}
        return list(zip(self.exhausted, self._ended, strict=True))
