"""The process `web` starts whole or not at all: configuration, address, connections, HTTP, in this order."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from fastapi import FastAPI
from psycopg_pool import PoolTimeout

from billing.config import (
    EXIT_CONFIG,
    EXIT_UNAVAILABLE,
    ConfigFaults,
    JobsConfig,
    TokensConfig,
    WebConfig,
    web_config,
)
from billing.domain.permissions import BadPermissions
from billing.http.api import Guard, create_api
from billing.operations.logs import log_as_json
from billing.operations.server import bind, exit_zero_on_stop_signals, server_for
from billing.storage.pool import Pool, open_pool

log = logging.getLogger(__name__)


def main() -> int:
    log_as_json("info")
    try:
        config = web_config(os.environ)
        guarding = guard_for(config.tokens)
    except ConfigFaults as refusal:
        log.error("%s", refusal, extra={"fields": {"faults": refusal.faults}})
        return EXIT_CONFIG
    except BadPermissions as refusal:
        log.error("%s", refusal)
        return EXIT_CONFIG
    log_as_json(config.log_level)
    exit_zero_on_stop_signals()
    try:
        bound = bind(config.host, config.port)
    except OSError as trouble:
        log.error("cannot listen on %s port %s: %s", config.host, config.port, trouble)
        return EXIT_UNAVAILABLE
    try:
        asyncio.run(serve(config, bound, guarding))
    except PoolTimeout:
        log.error("postgres did not answer; the service did not start")
        return EXIT_UNAVAILABLE
    return 0


async def serve(config: WebConfig, bound: socket.socket, guarding: Callable[[Pool], Guard] | None) -> None:
    """Serve until a signal ends it: that comes out of here as SystemExit, when everything is given back."""
    try:
        async with open_pool(config.database_url) as pool, later_for(config.jobs) as later:
            api = create_api(pool, guarding(pool) if guarding else None)
            if later:
                later(api)
            if config.telemetry:
                # Not at the top: without it, the library that counts is not needed.
                from billing.http.measuring import measure

                measure(api, pool, config.telemetry.version)
            server = server_for(api, config.shutdown_grace_seconds)
            await server.serve(sockets=[bound])
    except SystemExit:
        log.info("stopped")
        raise


def guard_for(tokens: TokensConfig | None) -> Callable[[Pool], Guard] | None:
    """What stands before the routes; None behind a gateway. Raises BadPermissions."""
    if tokens is None:
        return None
    # Not at the top: behind a gateway nothing of this is needed, nor the library that reads tokens.
    from billing.http.guard import guard

    return guard(tokens.issuer, tokens.audience, tokens.jwks_url, tokens.jwks_max_age_seconds)


def later_for(jobs: JobsConfig | None) -> AbstractAsyncContextManager[Callable[[FastAPI], None] | None]:
    """What adds to the API what is served only where there is a queue; None without one."""
    if jobs is None:
        return nullcontext()
    # As above: without a queue, the library that speaks to the cache is not needed.
    from billing.http.later import later

    return later(jobs.queue_limit, jobs.cache_url, jobs.summary_max_age_seconds)


if __name__ == "__main__":
    sys.exit(main())
