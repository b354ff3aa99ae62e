"""A call to another's service ends in bounded time, with its answer or with a reason why there is none."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx

from billing.domain.retries import Trouble, UpstreamFailed
from billing.telemetry.metrics import Call, Outcome, WorkerMetrics

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024


class Upstream:
    """One service of somebody else's, at `base_url`. Every call says by its key which piece of work it is about."""

    def __init__(self, name: str, base_url: str, seconds: float, metrics: WorkerMetrics) -> None:
        self._name = name
        self._seconds = seconds
        self._metrics = metrics
        self._client = httpx.AsyncClient(base_url=base_url, timeout=seconds, trust_env=False)

    async def post(self, path: str, body: Mapping[str, Any], key: UUID) -> Any:
        """The JSON that came back with a success, or None where there was none. Raises UpstreamFailed."""
        call = Call()
        try:
            with self._metrics.call(self._name) as call:
                # httpx bounds each read; the whole must end, too.
                async with asyncio.timeout(self._seconds):
                    said = await self._posted(path, body, key, call)
        except (httpx.HTTPError, TimeoutError) as trouble:
            raise UpstreamFailed("no-answer", f"no answer: {type(trouble).__name__}") from trouble
        log.info("upstream said yes to %s", dict(body))
        return said

    async def _posted(self, path: str, body: Mapping[str, Any], key: UUID, call: Call) -> Any:
        headers = {"Idempotency-Key": str(key)}
        async with self._client.stream("POST", path, json=body, headers=headers) as answer:
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise UpstreamFailed("no-answer", "the answer is too large")
        call.status, call.outcome = answer.status_code, outcome_of(answer.status_code)
        if not answer.is_success:
            raise UpstreamFailed(trouble_of(answer.status_code), f"status {answer.status_code}")
        try:
            return httpx.Response(200, content=content).json()
        except ValueError:
            return None

    async def close(self) -> None:
        await self._client.aclose()


def outcome_of(status: int) -> Outcome:
    """How a call ended that was answered with this status."""
    return "success" if status < 500 else "failed"


def trouble_of(status: int) -> Trouble:
    """What a status other than a success says about another try."""
    if status in (408, 429):
        return "408" if status == 408 else "429"
    return "5xx" if status >= 500 else "refused"
