"""What the lessons say they cover exists in the curriculum, and what is covered is counted."""

from collections.abc import Callable

from labs.catalog import all_labs

# Rows by the source that they come from; lesson numbers and rows are fixed.
CORE = {f"path:{number}" for number in range(1, 11)}
ROADMAP = {f"roadmap:{number}" for number in range(1, 30)}
TOPICS = {
    "topic:API design", "topic:API documentation", "topic:filtering & sorting", "topic:pagination",
    "topic:content negotiation", "topic:request batching", "topic:REST vs GraphQL", "topic:webhooks",
    "topic:WebSockets", "topic:connection pooling", "topic:request validation", "topic:authn & authz",
    "topic:rate limiting", "topic:caching", "topic:background jobs", "topic:message queues",
    "topic:request timeouts", "topic:circuit breakers", "topic:graceful shutdown", "topic:health checks",
    "topic:error handling & logging",
}  # fmt: skip
COURSE = {"course:load balancers"}
ROWS = CORE | ROADMAP | TOPICS | COURSE


def test_every_covered_row_exists() -> None:
    for lab in all_labs():
        assert set(lab.covers) <= ROWS, f"{lab.id} covers {set(lab.covers) - ROWS}"


def test_what_is_covered_is_counted(record_property: Callable[[str, object], None]) -> None:
    covered = {row for lab in all_labs() for row in lab.covers}
    record_property("rows covered", f"{len(covered)} of {len(ROWS)}")
    assert {"path:2", "path:5", "roadmap:11"} <= covered
