"""Runs one shell line as a submission of a grade would run, and prints what it said. `python -m tests.engine.in_a_box`."""

import sys
from pathlib import Path

from graders.engine.bubblewrap import Shown
from graders.engine.processes import Log, start
from graders.engine.sandbox import Ladder, python_folders
from graders.engine.warden import watching

ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}


def main(run_dir: str, python: str, line: str) -> int:
    run = Path(run_dir)
    ladder = Ladder(run, demanded=True)
    ladder.enter(network=True)
    quarters = ladder.quarters()
    (quarters.app / "mine").write_text("a file of the submission's")
    environment = Path(python).parents[1]
    shown = [*python_folders(), Shown(environment, environment)]
    isolation = ladder.service(quarters, shown, Path(python))
    log = Log()
    (run / "stores").mkdir()
    env = ENV | {"PATH": f"{Path(python).parent}:{ENV['PATH']}"}
    running = start("box", line, env, log, isolation=isolation, record=lambda pid: None)
    with watching([running], run / "stores", quarters.home, log, ladder.cgroup):
        running.ended_within(30)
    code = running.stop()
    ladder.leave()
    print(*(entry.text for entry in log.since(0)), f"exit code {code}", *log.refused(), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
