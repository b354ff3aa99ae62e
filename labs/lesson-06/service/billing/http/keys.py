"""The identity provider's keys, fetched once."""

import asyncio
import json
import logging
from urllib.request import urlopen

from jwt import PyJWK

log = logging.getLogger(__name__)

SECONDS_FOR_AN_ANSWER = 3.0


class KeysUnavailable(Exception):
    """The provider has never answered: whether a token is good can't be said."""


class Keys:
    """The keys at one address. `max_age` in seconds is how long they are taken to be right."""

    def __init__(self, url: str, max_age: int) -> None:
        self.url = url
        self.max_age = max_age
        self._keys: dict[str, PyJWK] | None = None

    async def find(self, kid: str) -> PyJWK | None:
        """The key of that id, or None where the provider has none. Raises KeysUnavailable."""
        if self._keys is None:
            try:
                self._keys = await asyncio.to_thread(_fetch, self.url)
            except (OSError, ValueError) as trouble:
                log.warning("the identity provider's keys could not be fetched: %s", trouble)
                raise KeysUnavailable from None
        return self._keys.get(kid)


def _fetch(url: str) -> dict[str, PyJWK]:
    with urlopen(url, timeout=SECONDS_FOR_AN_ANSWER) as answer:
        return {entry["kid"]: PyJWK(entry) for entry in json.load(answer)["keys"]}
