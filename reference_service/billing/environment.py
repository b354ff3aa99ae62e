"""Variables are read one after the other, and every fault is kept until all are read. No value is ever repeated."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit


class ConfigFaults(Exception):
    """What is wrong with the environment, one sentence for each variable at fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The configuration is not valid. " + " ".join(faults))
        self.faults = faults


class Reader:
    """Reads variables one after the other and collects faults. A variable that is empty counts as missing."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.faults: list[str] = []

    def is_set(self, name: str) -> bool:
        return bool(self.environment.get(name, "").strip())

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

    def word(self, name: str, default: str = "") -> str:
        """1 to 64 letters, digits, dots, dashes and underscores: what is safe in a label."""
        value = self.text(name, default)
        if value and not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", value):
            self.faults.append(f"{name} must be 1 to 64 of A-Z a-z 0-9 . _ -")
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

    def base_url(self, name: str) -> str:
        """An address that paths are added to, without a slash at its end."""
        value = self.text(name).rstrip("/")
        if value and not _is_url(value + "/-", ("http", "https")):
            self.faults.append(f"{name} must look like https://host.")
        return value

    def redis_url(self, name: str) -> str:
        value = self.text(name)
        if value and not _is_url(value, ("redis", "rediss")):
            self.faults.append(f"{name} must look like redis://:password@host:port/0.")
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
