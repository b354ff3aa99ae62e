"""What a service asked of the database while it was watched: counts and plans. How they are had stands in `postgres`."""

from dataclasses import dataclass

from graders.probes.plans import Plan


@dataclass(frozen=True)
class Cost:
    """What the service's top-level statements took: how many, and buffers (of 8 kB) hit, read or spilled."""

    statements: int
    buffers: int


class Observation:
    """What the service asked of the database while it was watched; complete once the `with` block has ended."""

    cost: Cost = Cost(0, 0)
    plans: tuple[Plan, ...] = ()
    uncounted: tuple[str, ...] = ()  # what the service's sessions did that no count holds, one line each

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
