"""The provider's keys by httpx. A copy is never used past its age while the provider answers."""

import asyncio
import logging
import time
from typing import Any

import httpx

log = logging.getLogger(__name__)


class KeysUnavailable(Exception):
    pass


class Keys:
    def __init__(self, url: str, max_age: int) -> None:
        self.url = url
        self.max_age = max_age
        self.entries: dict[str, dict[str, Any]] | None = None
        self.fetched_at = 0.0
        self.tried_at = -1000.0
        self.lock = asyncio.Lock()

    async def entry(self, kid: str) -> dict[str, Any] | None:
        async with self.lock:
            now = time.monotonic()
            fresh = self.entries is not None and kid in self.entries and now - self.fetched_at < self.max_age
            if not fresh and now - self.tried_at > 5:
                self.tried_at = now
                await self.refresh()
            if self.entries is None:
                raise KeysUnavailable
            return self.entries.get(kid)

    async def refresh(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
                answer = await client.get(self.url)
                answer.raise_for_status()
                keys = answer.json()["keys"]
            self.entries = {key["kid"]: key for key in keys if key.get("kid")}
            self.fetched_at = time.monotonic()
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            log.warning("key set not available: %s", type(error).__name__)
