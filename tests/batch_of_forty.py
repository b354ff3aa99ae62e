"""Grades forty mixed submissions of lesson-05 (right, wrong, hostile) in batches, kills one and lets it go on, and holds
every table to what is promised: python -m tests.batch_of_forty. Ten minutes and more a batch, so no part of `make test`.
"""

import argparse
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graders.engine.prove import fixes
from graders.engine.submission import lay
from labs.catalog import Lab, find

LESSON, SIZE, SEED = "lesson-05", 40, 20_261_121

SLEEPERS = "web: i=0; while [ $i -lt 200 ]; do sleep 1000 & i=$((i+1)); done; exit 3\n"
FORGED = r"""
print('<testsuite tests="14" failures="0"></testsuite>')
print('{"schema_version": 1, "verdict": "pass", "score": 100.0}')
print("::notice title=grade::100 %\n\x1b[2J\x1b[32mpassed 100 %")
for name in ("report.json", "results.xml", "../report.json", "/tmp/report.json"):
    try:
        open(name, "w").write('{"verdict": "pass", "score": 100.0}')
    except OSError:
        pass
"""


@dataclass(frozen=True)
class Expected:
    """What a submission must get: the checks that fail, none for a pass. Those that need them are skipped."""

    name: str
    failed: frozenset[str]


def lay_out(lab: Lab, shelf: Path) -> list[Expected]:
    """Forty submissions as they are handed in: folders, and every fourth an archive."""
    wanted = [_fix(lab, shelf, fix.name, fix.expected) for fix in fixes(lab)] + _hostile(lab, shelf)
    for number, expected in enumerate(wanted):
        if number % 4 == 3:
            _pack(shelf / expected.name, "zip" if number % 8 == 3 else "gz")
    if len(wanted) < SIZE:
        raise SystemExit(f"{len(wanted)} submissions are no {SIZE}: the lesson has lost fixes")
    return wanted


def _fix(lab: Lab, shelf: Path, name: str, expected: frozenset[str]) -> Expected:
    tree = shelf / name
    tree.mkdir()
    lay(next(fix.submission for fix in fixes(lab) if fix.name == name), lab, tree)
    return Expected(name, expected)


def _hostile(lab: Lab, shelf: Path) -> list[Expected]:
    """A few simple ones on top of the broken service; the corpus stands in tests/forgeries."""
    never_up = frozenset({lab.checks[0].id})
    procfile = (lab.reference / "Procfile").read_text()
    forging = procfile.replace("web: ", "web: python forge.py; ")
    return [
        _spoilt(lab, shelf, "exits-at-import", {"billing/app.py": "import os\nos._exit(0)\n"}, never_up),
        _spoilt(
            lab, shelf, "hangs-at-boot", {"billing/app.py": "import time\ntime.sleep(10**6)\n"}, never_up
        ),
        _spoilt(lab, shelf, "leaves-sleepers", {"Procfile": SLEEPERS}, never_up),
        _spoilt(lab, shelf, "prints-a-pass", {"Procfile": forging, "forge.py": FORGED}, lab.broken_fails),
    ]


def _spoilt(lab: Lab, shelf: Path, name: str, files: dict[str, str], failed: frozenset[str]) -> Expected:
    shutil.copytree(shelf / "broken", shelf / name)
    for file, text in files.items():
        (shelf / name / file).write_text(text)
    return Expected(name, failed)


def _pack(folder: Path, kind: str) -> None:
    """In place of the folder an archive of it, with a folder around everything as hosting sites do."""
    if kind == "zip":
        shutil.make_archive(str(folder), "zip", folder)
    else:
        with tarfile.open(f"{folder}.tar.gz", "w:gz") as archive:
            archive.add(folder, f"{folder.name}-main")
    shutil.rmtree(folder)


def command(shelf: Path, out: Path, jobs: int) -> list[str]:
    octo_lab = Path(sys.executable).with_name("octo_lab")
    options = ("--out", str(out), "--jobs", str(jobs), "--seed", str(SEED))
    return [str(octo_lab), "grade-batch", LESSON, "--each", str(shelf), *options]


def killed(shelf: Path, out: Path, jobs: int, after: int) -> None:
    """The batch, ended with SIGKILL once `after` rows are there."""
    with subprocess.Popen(command(shelf, out, jobs), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None, "started with a pipe"
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.split("/")[0].strip() == str(after):
                process.send_signal(signal.SIGKILL)
                break
    print(f"killed after {after} rows", flush=True)


def whole(shelf: Path, out: Path, jobs: int) -> list[dict[str, str]]:
    """The batch to its end; its table without what a clock says."""
    done = subprocess.run(command(shelf, out, jobs), check=False)
    if done.returncode:
        raise SystemExit(f"the batch ended with {done.returncode}")
    with (out / "results.csv").open(newline="") as file:
        return [
            {name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(file)
        ]


def faults(rows: Sequence[dict[str, str]], expected: Sequence[Expected], out: Path) -> list[str]:
    """A sentence for each row that is not as promised."""
    by_name = {row["name"]: row for row in rows}
    found = [
        f"{name} has no row, or no place here" for name in by_name.keys() ^ {one.name for one in expected}
    ]
    for one in expected if not found else ():
        report = json.loads((out / "reports" / f"{one.name}.json").read_text())
        failed = {check["id"] for check in report["checks"] if check["verdict"] == "fail"}
        verdict = by_name[one.name]["verdict"]
        if verdict != ("fail" if one.failed else "pass") or failed != one.failed:
            found.append(f"{one.name}: {verdict}, fails {sorted(failed)}, and must fail {sorted(one.failed)}")
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.batch_of_forty", description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[2, 1], help="a batch for each number (2 1)")
    parser.add_argument(
        "--kill-after", type=int, default=10, help="rows before the first is killed; 0: never"
    )
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        shelf = Path(name, "shelf")
        shelf.mkdir()
        expected = lay_out(find(LESSON), shelf)
        tables, wrong = [], list[str]()
        for turn, jobs in enumerate(asked.jobs):
            out = Path(name, f"out-{turn}")
            if asked.kill_after and turn == 0:
                killed(shelf, out, jobs, asked.kill_after)
            tables.append(whole(shelf, out, jobs))
            wrong += faults(tables[-1], expected, out)
    if any(table != tables[0] for table in tables):
        wrong.append("the tables differ from each other")
    print(
        "\n".join(wrong)
        or f"{len(expected)} rows as promised, {len(tables)} time(s), load {os.getloadavg()[0]:.1f}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
