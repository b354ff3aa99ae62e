"""The process `web` starts whole or not at all: configuration, address, connections, HTTP, in this order."""

import asyncio
import logging
import os
import socket
import sys

from psycopg_pool import PoolTimeout

from billing.config import EXIT_CONFIG, EXIT_UNAVAILABLE, ConfigFaults, WebConfig, web_config
from billing.http.api import create_api
from billing.operations.logs import log_as_json
from billing.operations.server import bind, exit_zero_on_stop_signals, server_for
from billing.storage.pool import open_pool

log = logging.getLogger(__name__)


def main() -> int:
    log_as_json("info")
    try:
        config = web_config(os.environ)
    except ConfigFaults as refusal:
        log.error("%s", refusal, extra={"fields": {"faults": refusal.faults}})
        return EXIT_CONFIG
    log_as_json(config.log_level)
    exit_zero_on_stop_signals()
    try:
        bound = bind(config.host, config.port)
    except OSError as trouble:
        log.error("cannot listen on %s port %s: %s", config.host, config.port, trouble)
        return EXIT_UNAVAILABLE
    try:
        asyncio.run(serve(config, bound))
    except PoolTimeout:
        log.error("postgres did not answer; the service did not start")
        return EXIT_UNAVAILABLE
    return 0


async def serve(config: WebConfig, bound: socket.socket) -> None:
    """Serve until a signal ends it: that comes out of here as SystemExit, when everything is given back."""
    try:
        async with open_pool(config.database_url) as pool:
            server = server_for(create_api(pool), config.shutdown_grace_seconds)
            await server.serve(sockets=[bound])
    except SystemExit:
        log.info("stopped")
        raise


if __name__ == "__main__":
    sys.exit(main())
