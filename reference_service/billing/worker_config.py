"""The process `worker` starts with a valid configuration, or names every fault. Without a queue it needs none."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from billing.config import LOG_LEVELS, telemetry_config
from billing.environment import Reader


@dataclass(frozen=True)
class WorkerConfig:
    """What `worker` needs to know. lease_seconds: how long work in hand stays in hand without a sign of life.

    address: host and port on which it tells of itself; None where telemetry is off.
    """

    database_url: str = field(repr=False)
    queue_url: str = field(repr=False)
    cache_url: str = field(repr=False)
    summary_max_age_seconds: int
    mail_url: str
    payment_provider_url: str
    upstream_timeout_ms: int
    retry_base_ms: int
    lease_seconds: int
    shutdown_grace_seconds: int
    log_level: str
    version: str
    address: tuple[str, int] | None


def worker_config(environment: Mapping[str, str]) -> WorkerConfig | None:
    """The configuration of `worker`; None where there is no queue. Raises ConfigFaults."""
    reader = Reader(environment)
    if not reader.is_set("QUEUE_URL"):
        return None
    telemetry = telemetry_config(reader)
    config = WorkerConfig(
        database_url=reader.postgres_url("DATABASE_URL"),
        queue_url=reader.redis_url("QUEUE_URL"),
        cache_url=reader.redis_url("CACHE_URL"),
        summary_max_age_seconds=reader.whole_number("SUMMARY_MAX_AGE_SECONDS", 1, 3600, default="60"),
        mail_url=reader.base_url("MAIL_URL"),
        payment_provider_url=reader.base_url("PAYMENT_PROVIDER_URL"),
        upstream_timeout_ms=reader.whole_number("UPSTREAM_TIMEOUT_MS", 100, 60_000, default="10000"),
        retry_base_ms=reader.whole_number("RETRY_BASE_MS", 10, 3_600_000, default="1000"),
        lease_seconds=reader.whole_number("JOB_LEASE_SECONDS", 1, 3600, default="30"),
        shutdown_grace_seconds=reader.whole_number("SHUTDOWN_GRACE_SECONDS", 0, 3600, default="10"),
        log_level=reader.one_of("LOG_LEVEL", LOG_LEVELS, default="info"),
        version=telemetry.version if telemetry else "unknown",
        address=_address(reader) if telemetry else None,
    )
    reader.raise_faults()
    return config


def _address(reader: Reader) -> tuple[str, int]:
    return reader.text("HOST", default="127.0.0.1"), reader.whole_number("PORT", 1, 65535)
