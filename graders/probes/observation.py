"""What a service asked of the database while it was watched: counts and plans. How they are had stands in `postgres`."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from graders.probes.plans import Plan

# Buffers for planning during one observation. A connection that was just made needs 300 for its first statements.
PLANNING = 1000


@dataclass(frozen=True)
class Cost:
    """What the service's top-level statements took: how many, and buffers (of 8 kB) hit, read or spilled."""

    statements: int
    buffers: int


@dataclass(frozen=True)
class Counted:
    """What pg_stat_statements has counted of the service's top-level statements, planning included.

    utility: the part of `buffers` that belongs to statements which are not planned (COPY, FETCH, DO).
    forgotten: how often it had to forget statements to make room.
    """

    statements: int
    buffers: int
    utility: int
    forgotten: int

    def __sub__(self, before: "Counted") -> "Counted":
        return Counted(*(mine - theirs for mine, theirs in zip(astuple(self), astuple(before), strict=True)))

    def cost(self, plans: Sequence[Plan]) -> Cost:
        """The cost of execution: planning reads catalogs, on a new connection hundreds of them."""
        executed = self.utility + sum(plan.buffers() for plan in plans if not plan.nested)
        return Cost(self.statements, min(self.buffers, executed))

    def faults(self, plans: Sequence[Plan]) -> tuple[str, ...]:
        """What makes the count worthless, one line each. A function that is "immutable" works while it is planned."""
        planning = self.buffers - self.cost(plans).buffers
        lost = ("so many different statements that the oldest were forgotten",) * (self.forgotten > 0)
        return lost + (f"read {planning} buffers while statements were planned",) * (planning > PLANNING)


class Observation:
    """What the service asked of the database while it was watched; complete once the `with` block has ended."""

    cost: Cost = Cost(0, 0)
    plans: tuple[Plan, ...] = ()
    uncounted: tuple[str, ...] = ()  # what the service's sessions did that no count holds, one line each
    endless: tuple[str, ...] = ()  # those of them that did not end

    @property
    def buffers(self) -> int:
        return self.cost.buffers

    @property
    def rows_read(self) -> int:
        return sum(plan.rows_read() for plan in self.plans)

    def about(self, table: str) -> tuple[Plan, ...]:
        """The plans that touch `table`."""
        return tuple(plan for plan in self.plans if table in plan.tables())

    def costliest(self) -> Plan | None:
        """The plan that read most."""
        return max(self.plans, key=lambda plan: (plan.rows_read(), plan.buffers()), default=None)
