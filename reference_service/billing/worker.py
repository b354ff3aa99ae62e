"""The process `worker` does jobs until it is asked to stop; then it ends what it has in hand, or gives it back.

Without a queue there are no jobs: then it waits to be stopped, and needs neither library nor store.
"""

import logging
import os
import signal
import sys

from billing.config import EXIT_CONFIG, EXIT_UNAVAILABLE
from billing.environment import ConfigFaults
from billing.operations.logs import log_as_json
from billing.worker_config import worker_config

log = logging.getLogger(__name__)
STOPS = {signal.SIGTERM, signal.SIGINT}


def main() -> int:
    log_as_json("info")
    try:
        config = worker_config(os.environ)
    except ConfigFaults as refusal:
        log.error("%s", refusal, extra={"fields": {"faults": refusal.faults}})
        return EXIT_CONFIG
    if config is None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        log.info("no queue, no jobs")
        signal.sigwait(STOPS)
        return 0
    log_as_json(config.log_level)
    # Not at the top: whoever has no jobs needs none of this.
    from billing.jobs.working import BadQueues, PoolTimeout, work

    try:
        work(config)
    except BadQueues as refusal:
        log.error("%s", refusal)
        return EXIT_CONFIG
    except OSError as trouble:
        log.error("the worker can't listen where it was told to: %s", trouble)
        return EXIT_UNAVAILABLE
    except PoolTimeout:
        log.error("postgres did not answer; the worker did not start")
        return EXIT_UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
