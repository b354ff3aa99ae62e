"""A process starts with a valid configuration, or it names every fault at once and does not start.

Environment variables are the only source. No value is ever repeated in a message: it may be a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# Exit codes of sysexits.h, so that who starts a process can tell what to mend.
EXIT_CONFIG = 78
EXIT_UNAVAILABLE = 69
IDENTITIES = ("gateway", "tokens")
LOG_LEVELS = ("debug", "info", "warning", "error")


class ConfigFaults(Exception):
    """What is wrong with the environment, one sentence for each variable at fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The configuration is not valid. " + " ".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class TokensConfig:
    """Whose tokens are believed: those of this issuer, made out for this audience, signed with a key of its JWKS."""

    issuer: str
    audience: str
    jwks_url: str
    jwks_max_age_seconds: int


@dataclass(frozen=True)
class WebConfig:
    """What `web` needs to know. tokens: None where a gateway in front says for whom a request is made."""

    host: str
    port: int
    database_url: str = field(repr=False)
    log_level: str
    shutdown_grace_seconds: int
    tokens: TokensConfig | None


@dataclass(frozen=True)
class ReleaseConfig:
    """What `release` needs to know."""

    database_url: str = field(repr=False)
    log_level: str


def web_config(environment: Mapping[str, str]) -> WebConfig:
    """The configuration of `web`. Raises ConfigFaults."""
    reader = _Reader(environment)
    config = WebConfig(
        host=reader.text("HOST", default="127.0.0.1"),
        port=reader.whole_number("PORT", 1, 65535),
        database_url=reader.postgres_url("DATABASE_URL"),
        log_level=reader.one_of("LOG_LEVEL", LOG_LEVELS, default="info"),
        shutdown_grace_seconds=reader.whole_number("SHUTDOWN_GRACE_SECONDS", 0, 3600, default="10"),
        tokens=_tokens(reader),
    )
    reader.raise_faults()
    return config


def release_config(environment: Mapping[str, str]) -> ReleaseConfig:
    """The configuration of `release`. Raises ConfigFaults."""
    reader = _Reader(environment)
    config = ReleaseConfig(
        database_url=reader.postgres_url("DATABASE_URL"),
        log_level=reader.one_of("LOG_LEVEL", LOG_LEVELS, default="info"),
    )
    reader.raise_faults()
    return config


def _tokens(reader: "_Reader") -> TokensConfig | None:
    """There is no default: a service that guesses whom to believe believes anybody."""
    if reader.one_of("IDENTITY", IDENTITIES) != "tokens":
        return None
    return TokensConfig(
        issuer=reader.text("TOKEN_ISSUER"),
        audience=reader.text("TOKEN_AUDIENCE"),
        jwks_url=reader.http_url("JWKS_URL"),
        jwks_max_age_seconds=reader.whole_number("JWKS_MAX_AGE_SECONDS", 1, 86400, default="300"),
    )


class _Reader:
    """Reads variables one after the other and collects faults. A variable that is empty counts as missing."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.faults: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        value = self.environment.get(name, "").strip() or default
        if not value:
            self.faults.append(f"{name} is missing.")
        return value

    def whole_number(self, name: str, lowest: int, highest: int, default: str = "") -> int:
        value = self.text(name, default)
        if not value:
            return 0
        # isascii: int() would take digits of every script.
        if value.isascii() and value.isdigit() and lowest <= int(value[:10]) <= highest:
            return int(value)
        self.faults.append(f"{name} must be a whole number from {lowest} to {highest}.")
        return 0

    def one_of(self, name: str, words: tuple[str, ...], default: str = "") -> str:
        value = self.text(name, default).lower()
        if value and value not in words:
            self.faults.append(f"{name} must be one of {', '.join(words)}.")
        return value

    def postgres_url(self, name: str) -> str:
        value = self.text(name)
        if value and not _is_url(value, ("postgresql", "postgres")):
            self.faults.append(f"{name} must look like postgresql://user:password@host:port/database.")
        return value

    def http_url(self, name: str) -> str:
        value = self.text(name)
        if value and not _is_url(value, ("http", "https")):
            self.faults.append(f"{name} must look like https://host/path.")
        return value

    def raise_faults(self) -> None:
        if self.faults:
            raise ConfigFaults(self.faults)


def _is_url(value: str, schemes: tuple[str, ...]) -> bool:
    """Whether it names a host and something on it."""
    try:
        url = urlsplit(value)
        port_can_be = url.port is None or url.port > 0
        return url.scheme in schemes and bool(url.hostname) and port_can_be and len(url.path) > 1
    except ValueError:
        return False
