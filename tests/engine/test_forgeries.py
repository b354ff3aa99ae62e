"""The forgery corpus on the smallest lab, and that the gate notices when a trick wins."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from compose.engine import Client
from compose.places import cache_root
from graders.engine.canaries import PREFIX, left_running, watched
from graders.engine.forge import run
from graders.engine.forgeries import CORPUS, Forgery, corpus, forge
from graders.reports.forgeries import Forgeries
from labs.catalog import Lab, ManifestError
from tests.engines import docker as docker

Write = Callable[[Path, str], Path]


def tricks_of(index: str) -> list[Forgery]:
    text = (CORPUS / f"{index}.toml").read_text()
    return [trick for trick in corpus() if f'name = "{trick.name}"' in text]


def none_won(found: Forgeries) -> None:
    assert {row.name: row.faults for row in found.rows if row.faults} == {}
    assert found.canaries == ()


@pytest.mark.parametrize("index", sorted({path.stem for path in CORPUS.glob("*.toml")} - {"spying"}))
def test_no_trick_wins(index: str, lab: Lab) -> None:
    """Every trick that this machine can hold. What it cannot is told, and `dev check --forgeries` fails for it."""
    none_won(run(lab, tricks_of(index), jobs=2))


def test_no_spy_finds_anything(lab: Lab) -> None:
    none_won(run(lab, [every_spy()], jobs=1))


# One trick for each wall of a container's. The others meet the same walls, or what we read: `dev check --forgeries
# --on docker` runs all of them.
ON_DOCKER = (
    "release-hangs-deaf", "boot-hangs", "deaf", "daemon-outlives", "many-daemons", "output-is-kept", "store-impersonated",
    "hog-memory", "hog-memory-in-many", "hog-stores-memory", "hog-disk-scratch", "hog-inodes", "hog-forks", "hog-connections",
    "hog-log-lines", "hog-log-one-line", "hog-kill-everybody", "db-and-cache-steal",
)  # fmt: skip


def test_no_trick_wins_on_docker(lab: Lab, docker: Client) -> None:
    tricks = {trick.name: trick for trick in corpus()}
    none_won(run(lab, [tricks[name] for name in ON_DOCKER], jobs=3, on="docker"))


def test_no_spy_finds_anything_on_docker(lab: Lab, docker: Client) -> None:
    none_won(run(lab, [every_spy()], jobs=1, on="docker"))


def every_spy() -> Forgery:
    """All spies of the corpus, one after the other in one grade."""
    spies = tricks_of("spying")
    web = f"({'; '.join(spy.procfile['web'] for spy in spies)}) >said; grep loot said; "
    web += "echo $(grep -c 'found 0 things' said) spies found nothing; exit 1"
    says = f"{len(spies)} spies found nothing"
    procfile = {"release": "true", "web": web}
    return replace(spies[0], name="every-spy", procfile=procfile, says=says, budgets={"boot": 120})


@pytest.fixture
def own(tmp_path: Path, write: Write) -> Callable[..., Forgeries]:
    """Runs a corpus of one trick: its index entry, and its files."""

    def forged(lab: Lab, more: str = "", files: dict[str, str] | None = None) -> Forgeries:
        root = tmp_path / "corpus"
        write(root / "own.toml", ENTRY + more)
        for name, text in (files or {}).items():
            write(root / "files" / "trick" / name, text)
        return run(lab, corpus(root), jobs=1, root=root)

    return forged


ENTRY = """
[[forgery]]
name = "trick"
tries = "To win."
source = "own"
base = "broken"
expected = "honest"
endings = ["fail"]
"""


def test_points_that_the_files_do_not_earn_are_told(lab: Lab, own: Callable[..., Forgeries]) -> None:
    right = (lab.reference / "web.py").read_text()
    [row] = own(lab, files={"web.py": right}).rows
    assert "it ended as pass, not as fail" in row.faults
    assert any("it passed doubles" in fault for fault in row.faults)


def test_points_that_a_trick_costs_are_told(lab: Lab, own: Callable[..., Forgeries]) -> None:
    [row] = own(lab, 'procfile = { web = "exit 1" }').rows
    assert row.faults == ("it lost answers, which its files pass",)


def test_a_trick_without_the_isolation_it_needs_is_not_run(
    lab: Lab, own: Callable[..., Forgeries], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.engine.bubblewrap.program", lambda: None)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))  # the grade is another process
    [row] = own(lab, 'needs = "bubblewrap"').rows
    assert (row.got.ending, row.said) == ("not run", "needs bubblewrap")


def test_a_lab_without_the_store_is_left_out(lab: Lab, own: Callable[..., Forgeries]) -> None:
    assert own(lab, 'stores = ["queue"]').rows == ()


def test_the_bases_own_command_is_one_word_of_the_shell(lab: Lab, tmp_path: Path, write: Write) -> None:
    write(lab.service / "Procfile", "web: echo 'a b'; python web.py\n")
    trick = Forgery(
        "t", "", "own", "broken", "zero", ("fail",), procfile={"web": "sh -c {web}", "worker": "x {token}"}
    )
    folder = forge(trick, lab, tmp_path / "t", "token-1").path
    assert folder
    assert (folder / "Procfile").read_text().splitlines() == [
        """web: sh -c 'echo '"'"'a b'"'"'; python web.py'""",
        "worker: x token-1",
    ]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("[[forgery]]\nname = 'a b'", "no name"),
        (ENTRY.replace('"broken"', '"reference-ish"'), "base is one of broken, reference"),
        (ENTRY.replace('["fail"]', '["pass"]'), "never a pass"),
        (ENTRY.replace('["fail"]', "[]"), "never a pass"),
        (ENTRY + "says = '('", "own.toml"),
        (ENTRY + "programs = ['none.py']", "no programs/none.py"),
        (ENTRY + "colour = 'red'", "what is colour?"),
        (ENTRY.replace('tries = "To win."', ""), "tries"),
        (ENTRY + ENTRY, "trick stands twice"),
        ("forgery = 3", "own.toml"),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(
    entry: str, told: str, tmp_path: Path, write: Write
) -> None:
    write(tmp_path / "own.toml", entry)
    with pytest.raises(ManifestError, match=told.replace("?", r"\?")):
        corpus(tmp_path)


def test_every_file_of_the_corpus_is_somebodys() -> None:
    tricks = corpus()
    assert {path.name for path in (CORPUS / "files").iterdir()} <= {trick.name for trick in tricks}
    assert {path.name for path in (CORPUS / "programs").glob("*.py")} == {
        p for t in tricks for p in t.programs
    }


# --- the canaries -------------------------------------------------------------------------------------------


def test_canaries_that_nobody_touched_say_nothing() -> None:
    with watched() as canaries:
        assert canaries.hurt() == ()


def test_a_result_that_was_rewritten_is_noticed() -> None:
    with watched() as canaries:
        (canaries.folder / "results.json").write_text('{"verdict": "pass"}')
        assert "was written" in str(canaries.hurt())


def test_a_call_is_noticed() -> None:
    with watched() as canaries, socket.socket(socket.AF_UNIX) as caller:
        caller.connect(f"\0{PREFIX}{canaries.secret[:8]}")
        caller.recv(1)  # until it was accepted and hung up on
        caller.close()
        with socket.create_connection(("127.0.0.1", canaries.port)) as other:
            other.recv(1)
        assert len(canaries.hurt()) == 2


def test_a_poisoned_cache_is_noticed() -> None:
    home = cache_root() / "python" / "poisoned-by-a-test"
    home.mkdir(parents=True)
    try:
        (home / "a.py").write_text("1")
        with watched() as canaries:
            (home / "a.py").write_text("2")
            (home / "b.pth").write_text("import a")
            changed, added = canaries.hurt()
        assert "poisoned-by-a-test/a.py" in changed
        assert "poisoned-by-a-test/b.pth" in added
    finally:
        shutil.rmtree(home)


def test_a_process_that_is_left_is_noticed() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "forged-token-7"])
    try:
        assert left_running("forged-token-7") == (f"process {sleeper.pid} is still running",)
    finally:
        sleeper.kill()
        sleeper.wait()
    assert left_running("forged-token-7") == ()
