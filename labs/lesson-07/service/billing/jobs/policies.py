"""How often what is tried, by kind."""

from collections.abc import Mapping

from billing.domain.jobs import Kind
from billing.domain.retries import RetryPolicy


class BadQueues(Exception):
    """Where this is raised the worker ends, with code 78. So far nobody raises it."""


def read_policies() -> Mapping[Kind, RetryPolicy]:
    """The same for every kind."""
    every = RetryPolicy(attempts=10, growth=1, jitter=0, most=1, retried=["no-answer", "408", "429", "5xx", "refused"])
    return {"mail": every, "charge": every, "report": every}
