"""A process starts with a valid configuration, or it names every fault at once and does not start.

Environment variables are the only source. No value is ever repeated in a message: it may be a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from billing.environment import ConfigFaults, Reader

__all__ = ["ConfigFaults"]

# Exit codes of sysexits.h, so that who starts a process can tell what to mend.
EXIT_CONFIG = 78
EXIT_UNAVAILABLE = 69
IDENTITIES = ("gateway", "tokens")
SWITCH = ("on", "off")
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class TokensConfig:
    """Whose tokens are believed: those of this issuer, made out for this audience, signed with a key of its JWKS."""

    issuer: str
    audience: str
    jwks_url: str
    jwks_max_age_seconds: int


@dataclass(frozen=True)
class JobsConfig:
    """What `web` needs to take on work for later: how much of it, and where summaries are cached and for how long."""

    queue_limit: int
    cache_url: str = field(repr=False)
    summary_max_age_seconds: int


@dataclass(frozen=True)
class TelemetryConfig:
    """That a process tells what it counts, and as which version."""

    version: str


@dataclass(frozen=True)
class WebConfig:
    """What `web` needs to know. tokens: None where a gateway in front says for whom a request is made.

    jobs: None where there is no queue, and so nothing that is done later. telemetry: None where it is off.
    """

    host: str
    port: int
    database_url: str = field(repr=False)
    log_level: str
    shutdown_grace_seconds: int
    tokens: TokensConfig | None
    jobs: JobsConfig | None
    telemetry: TelemetryConfig | None


@dataclass(frozen=True)
class ReleaseConfig:
    """What `release` needs to know."""

    database_url: str = field(repr=False)
    log_level: str


def web_config(environment: Mapping[str, str]) -> WebConfig:
    """The configuration of `web`. Raises ConfigFaults."""
    reader = Reader(environment)
    config = WebConfig(
        host=reader.text("HOST", default="127.0.0.1"),
        port=reader.whole_number("PORT", 1, 65535),
        database_url=reader.postgres_url("DATABASE_URL"),
        log_level=reader.one_of("LOG_LEVEL", LOG_LEVELS, default="info"),
        shutdown_grace_seconds=reader.whole_number("SHUTDOWN_GRACE_SECONDS", 0, 3600, default="10"),
        tokens=_tokens(reader),
        jobs=_jobs(reader),
        telemetry=telemetry_config(reader),
    )
    reader.raise_faults()
    return config


def release_config(environment: Mapping[str, str]) -> ReleaseConfig:
    """The configuration of `release`. Raises ConfigFaults."""
    reader = Reader(environment)
    config = ReleaseConfig(
        database_url=reader.postgres_url("DATABASE_URL"),
        log_level=reader.one_of("LOG_LEVEL", LOG_LEVELS, default="info"),
    )
    reader.raise_faults()
    return config


def _tokens(reader: Reader) -> TokensConfig | None:
    """There is no default: a service that guesses whom to believe believes anybody."""
    if reader.one_of("IDENTITY", IDENTITIES) != "tokens":
        return None
    return TokensConfig(
        issuer=reader.text("TOKEN_ISSUER"),
        audience=reader.text("TOKEN_AUDIENCE"),
        jwks_url=reader.http_url("JWKS_URL"),
        jwks_max_age_seconds=reader.whole_number("JWKS_MAX_AGE_SECONDS", 1, 86400, default="300"),
    )


def telemetry_config(reader: Reader) -> TelemetryConfig | None:
    """None where telemetry is off."""
    version = reader.word("VERSION", default="unknown")
    return TelemetryConfig(version) if reader.one_of("TELEMETRY", SWITCH, default="off") == "on" else None


def _jobs(reader: Reader) -> JobsConfig | None:
    if not reader.is_set("QUEUE_URL"):
        return None
    reader.redis_url("QUEUE_URL")
    return JobsConfig(
        queue_limit=reader.whole_number("QUEUE_LIMIT", 1, 1_000_000, default="10000"),
        cache_url=reader.redis_url("CACHE_URL"),
        summary_max_age_seconds=reader.whole_number("SUMMARY_MAX_AGE_SECONDS", 1, 3600, default="60"),
    )
