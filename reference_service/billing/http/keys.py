"""The identity provider's keys: fetched from its JWKS when they are needed, kept while they are fresh enough.

A key that is new works at once, one that was withdrawn stops when the cache is renewed. While the provider is down,
the keys that we have go on.
"""

import asyncio
import json
import logging
import time
from http.client import HTTPException
from urllib.request import urlopen

from jwt import PyJWK
from jwt.exceptions import PyJWTError

log = logging.getLogger(__name__)

# However many tokens with unknown keys come in, the provider is asked no more often than this.
SECONDS_BETWEEN_FETCHES = 5.0
SECONDS_FOR_AN_ANSWER = 3.0
MAX_BYTES = 256 * 1024


class KeysUnavailable(Exception):
    """The provider has never answered: whether a token is good can't be said."""


class Keys:
    """The keys at one address. `max_age` in seconds is how long they are taken to be right."""

    def __init__(self, url: str, max_age: int) -> None:
        self.url = url
        self.max_age = max_age
        self._keys: dict[str, PyJWK] | None = None
        self._fetched = self._asked = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def find(self, kid: str) -> PyJWK | None:
        """The key of that id, or None where the provider has none. Raises KeysUnavailable."""
        if self._wanted(kid):
            async with self._one_at_a_time:
                if self._wanted(kid):
                    await self._fetch()
        if self._keys is None:
            raise KeysUnavailable
        return self._keys.get(kid)

    def _wanted(self, kid: str) -> bool:
        now = time.monotonic()
        stale = now - self._fetched > self.max_age
        unknown = self._keys is None or kid not in self._keys
        return (stale or unknown) and now - self._asked >= SECONDS_BETWEEN_FETCHES

    async def _fetch(self) -> None:
        self._asked = time.monotonic()
        try:
            self._keys = _usable(await asyncio.to_thread(_read, self.url))
            self._fetched = time.monotonic()
        except (OSError, HTTPException, ValueError) as trouble:
            log.warning("the identity provider's keys could not be fetched: %s", trouble)


def _read(url: str) -> bytes:
    with urlopen(url, timeout=SECONDS_FOR_AN_ANSWER) as answer:  # noqa: S310 - our own configuration
        content: bytes = answer.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError("the key set is too large")
    return content


def _usable(content: bytes) -> dict[str, PyJWK]:
    """The keys of a key set (RFC 7517) by id. What we can't use may stand in it; it is left out. Raises ValueError."""
    document = json.loads(content)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("this is no key set")
    found = {}
    for entry in document["keys"]:
        try:
            if entry.get("use", "sig") == "sig" and isinstance(entry["kid"], str):
                found[entry["kid"]] = PyJWK(entry)
        except (PyJWTError, KeyError, AttributeError, TypeError, ValueError):
            continue
    return found
