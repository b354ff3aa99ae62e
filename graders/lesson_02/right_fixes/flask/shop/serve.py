"""The process `web`: configuration as the contract has it, waitress with threads, a clean stop."""

import logging
import os
import signal
import sys
import threading

from psycopg_pool import ConnectionPool, PoolTimeout
from waitress.server import create_server

from billing.config import EXIT_CONFIG, EXIT_UNAVAILABLE, ConfigFaults, web_config
from billing.operations.logs import log_as_json
from shop.app import create_app

SETTINGS = "-c statement_timeout=30s -c lock_timeout=10s -c timezone=UTC"
log = logging.getLogger("shop")


def main() -> int:
    log_as_json("info")
    try:
        config = web_config(os.environ)
    except ConfigFaults as refusal:
        log.error("%s", refusal)
        return EXIT_CONFIG
    log_as_json(config.log_level)
    logging.getLogger("waitress").setLevel(logging.WARNING)
    options = {"application_name": "billing-web", "options": SETTINGS, "connect_timeout": 5}
    pool = ConnectionPool(config.database_url, min_size=2, max_size=16, timeout=5, kwargs=options, open=False)
    try:
        pool.open(wait=True, timeout=10)
    except PoolTimeout:
        log.error("postgres did not answer; the service did not start")
        return EXIT_UNAVAILABLE
    server = create_server(create_app(pool), host=config.host, port=config.port, threads=16)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.close).start())
    log.info("listening")
    try:
        server.run()
    except OSError:
        pass  # closed under its own feet, as asked
    log.info("stopped")
    pool.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
