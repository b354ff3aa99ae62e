"""Query plans as auto_explain wrote them: what a statement read, threw away, and through which index. Pure functions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Node = Mapping[str, Any]

FILTERS = ("Filter", "Recheck Cond", "Index Cond")
WORTH_TELLING = 4
BUFFERS = ("Shared Hit Blocks", "Shared Read Blocks", "Temp Read Blocks", "Temp Written Blocks")
REMOVED = ("Rows Removed by Filter", "Rows Removed by Index Recheck")


@dataclass(frozen=True)
class Plan:
    """One executed statement. `settings` are the planner settings that differed from Postgres' own defaults.

    nested: run by a function, a trigger or a block of another statement, which has its buffers in its own count.
    """

    user: str
    query: str
    root: Node
    settings: Mapping[str, str] = field(default_factory=dict)
    nested: bool = False

    @classmethod
    def of(cls, user: str, entry: Mapping[str, Any], *, nested: bool = False) -> "Plan":
        """From the JSON that auto_explain logs."""
        return cls(user, str(entry.get("Query Text", "")), entry["Plan"], entry.get("Settings", {}), nested)

    def nodes(self) -> Iterator[Node]:
        """Every step of the plan, the outermost first."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop(0)
            yield node
            waiting[0:0] = node.get("Plans", [])

    def rows_read(self) -> int:
        """Rows and index entries fetched by all scans, those thrown away included."""
        return sum(_read(node) for node in self.nodes() if _is_scan(node))

    def indexes(self) -> frozenset[str]:
        """Names of the indexes that this execution went through."""
        return frozenset(node["Index Name"] for node in self.nodes() if "Index Name" in node)

    def tables(self) -> frozenset[str]:
        return frozenset(node["Relation Name"] for node in self.nodes() if "Relation Name" in node)

    def buffers(self) -> int:
        """Buffers hit, read or spilled, those of nested statements included."""
        return sum(int(self.root.get(name, 0)) for name in BUFFERS)

    def telling_lines(self) -> list[str]:
        """What explains the cost, as sentences: the scan that read most, and a sort of many rows for few."""
        scans = [node for node in self.nodes() if _is_scan(node)]
        if not scans:
            return [str(self.root.get("Node Type", "no plan"))]
        return [_sentence(max(scans, key=_read)), *_wasted_sorts(self)]


def _is_scan(node: Node) -> bool:
    return "Relation Name" in node and _executed(node)


def _executed(node: Node) -> bool:
    return int(node.get("Actual Loops", 0)) > 0


def _total(node: Node, name: str) -> int:
    """A count of all loops together; the plan gives it per loop."""
    return round(float(node.get(name, 0)) * int(node.get("Actual Loops", 0)))


def _read(node: Node) -> int:
    """A bitmap heap scan counts once: its rows, or the index entries that led to them, whichever are more."""
    rows = _total(node, "Actual Rows") + _thrown_away(node)
    return max(rows, sum(_entries(child) for child in node.get("Plans", ())))


def _entries(node: Node) -> int:
    """Index entries below a bitmap heap scan (BitmapAnd and BitmapOr have the scans under them)."""
    if node.get("Node Type") == "Bitmap Index Scan":
        return _total(node, "Actual Rows")
    return sum(_entries(child) for child in node.get("Plans", ()))


def _thrown_away(node: Node) -> int:
    return sum(_total(node, name) for name in REMOVED)


def _sentence(node: Node) -> str:
    through = _through(node)
    place = f"{node['Node Type']} on {node['Relation Name']}" + (f" through {through}" if through else "")
    line = f"{place}: {grouped(_read(node))} rows read"
    thrown = _thrown_away(node)
    if thrown:
        line += f", {grouped(thrown)} thrown away"
    condition = next((f"{name} {node[name]}" for name in FILTERS if name in node), "")
    return f"{line}; {condition}" if condition else line


def _through(node: Node) -> str:
    """The index or indexes that a scan goes through."""
    names = [node["Index Name"]] if "Index Name" in node else []
    below = list(node.get("Plans", ()))
    while below:
        child = below.pop(0)
        names += [child["Index Name"]] if "Index Name" in child else []
        below += child.get("Plans", ())
    return " and ".join(dict.fromkeys(names))


def _wasted_sorts(plan: Plan) -> Iterator[str]:
    """Sorts of many rows for few, which no scan shows."""
    kept = max(_total(plan.root, "Actual Rows"), 1)
    for node in plan.nodes():
        if "Sort Key" in node and node.get("Plans"):
            rows = _total(node["Plans"][0], "Actual Rows")
            if rows > WORTH_TELLING * kept:
                yield f"{node['Node Type']} by {', '.join(node['Sort Key'])}: {grouped(rows)} rows for {grouped(kept)}"


def grouped(number: int) -> str:
    """A count as people read it: 1 000 000."""
    return f"{number:,}".replace(",", " ")
