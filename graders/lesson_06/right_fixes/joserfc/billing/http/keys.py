"""The provider's key set, renewed in the background of the requests that find it too old."""

import asyncio
import logging
import time
from collections.abc import Callable
from urllib.request import urlopen

from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key
from json import loads

log = logging.getLogger(__name__)

PATIENCE = 3.0
PAUSE = 5.0


class KeysUnavailable(Exception):
    """Nothing was ever fetched."""


class Keys:
    """One key set, a snapshot that is replaced as a whole."""

    def __init__(self, url: str, max_age: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.url, self.max_age, self.clock = url, max_age, clock
        self.snapshot: KeySet | None = None
        self.good_until = self.quiet_until = clock() - 1
        self.fetching: asyncio.Task[None] | None = None

    async def covering(self, kid: str) -> KeySet:
        """The key set, renewed if it is old or lacks this key and we may ask."""
        if self.clock() > self.good_until or not self._has(kid):
            await self._renew()
        if self.snapshot is None:
            raise KeysUnavailable
        return self.snapshot

    def _has(self, kid: str) -> bool:
        return self.snapshot is not None and any(key.kid == kid for key in self.snapshot.keys)

    async def _renew(self) -> None:
        if self.fetching is None and self.clock() >= self.quiet_until:
            self.quiet_until = self.clock() + PAUSE
            self.fetching = asyncio.create_task(self._fetch())
        if self.fetching is not None:
            await asyncio.shield(self.fetching)

    async def _fetch(self) -> None:
        try:
            document = loads(await asyncio.to_thread(self._read))
            self.snapshot = KeySet([key for entry in document["keys"] if (key := _key(entry))])
            self.good_until = self.clock() + self.max_age
        except Exception as trouble:
            log.warning("no keys: %s", trouble)
        finally:
            self.fetching = None

    def _read(self) -> bytes:
        with urlopen(self.url, timeout=PATIENCE) as answer:
            return answer.read(500_000)


def _key(entry: object):
    try:
        key = import_key(entry)
        return key if key.kid and key.key_type in ("RSA", "EC") else None
    except (JoseError, ValueError, TypeError, AttributeError):
        return None
