"""A child that dies comes back, with growing pauses; one that must end does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.start import children
from arena.start.children import FIRST_PAUSE, GUARD, HEALTHY_AFTER, Child, stop_all

DIES = "import sys; sys.exit(7)"
LIVES = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
PATIENCE = 60.0


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Children that run a line of Python; none survives its test."""
    made: list[Child] = []

    def child(code: str, **fields: Any) -> Child:
        log = fields.pop("log", tmp_path / "logs" / f"{len(made)}.log")
        made.append(Child("child", [sys.executable, "-c", code], dict(os.environ), log, **fields))
        return made[-1]

    yield child
    for one in made:
        if one.process is not None and one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def process_of(child: Child) -> subprocess.Popen[bytes]:
    assert child.process is not None
    return child.process


def wait_until_up(child: Child) -> None:
    deadline = time.monotonic() + PATIENCE
    while "up" not in child.last_words():
        assert time.monotonic() < deadline, child.last_words()
        time.sleep(0.01)


def test_a_dead_child_is_started_again_after_its_pause_and_not_before(make: Callable[..., Child]) -> None:
    child = make(DIES)
    child.start()
    first = process_of(child)
    first.wait(PATIENCE)
    said = child.look(now=100.0)
    assert "child ended with code 7" in said and str(child.log) in said
    assert child.look(now=100.0 + FIRST_PAUSE - 0.01) == ""
    assert child.process is first
    child.look(now=100.0 + FIRST_PAUSE)
    assert process_of(child).pid != first.pid


def test_pauses_double_up_to_the_longest(make: Callable[..., Child]) -> None:
    child, pauses, now = make(DIES, longest_pause=1.0), [], 0.0
    child.start()
    for _ in range(5):
        process_of(child).wait(PATIENCE)
        child.look(now=now)
        pauses.append(round(child.restart_at - now, 6))
        now = child.restart_at
        child.look(now=now)
    assert pauses == [0.2, 0.4, 0.8, 1.0, 1.0]


def test_a_long_life_makes_the_next_pause_short_again(make: Callable[..., Child]) -> None:
    child = make(LIVES)
    child.start()
    child.pause = 30.0
    child.look(now=child.started_at + HEALTHY_AFTER - 1)
    assert child.pause == 30.0
    child.look(now=child.started_at + HEALTHY_AFTER + 1)
    assert child.pause == FIRST_PAUSE


def test_a_living_child_is_left_alone(make: Callable[..., Child]) -> None:
    child = make(LIVES)
    child.start()
    before = child.process
    assert [child.look(now=child.started_at + second) for second in (0.0, 30.0, 90.0)] == ["", "", ""]
    assert child.process is before


def test_a_child_that_cannot_run_here_is_given_up(make: Callable[..., Child]) -> None:
    child = make(DIES, gives_up_on=7)
    child.start()
    first = process_of(child)
    first.wait(PATIENCE)
    assert [child.look(now=now) for now in (0.0, 1000.0, 2000.0)] == ["", "", ""]
    assert child.given_up and child.process is first


def test_another_code_is_no_reason_to_give_up(make: Callable[..., Child]) -> None:
    child = make(DIES, gives_up_on=3)
    child.start()
    process_of(child).wait(PATIENCE)
    assert child.look(now=0.0)
    assert not child.given_up


def test_a_child_that_was_never_started_is_not_looked_after(make: Callable[..., Child]) -> None:
    child = make(DIES)
    assert child.look(now=0.0) == "" and child.process is None


def test_output_and_errors_go_to_the_log(make: Callable[..., Child]) -> None:
    child = make("import sys; print(repr(sys.stdin.read())); sys.stdout.flush(); raise SystemExit('to stderr')")
    child.start()
    process_of(child).wait(PATIENCE)
    assert child.last_words().splitlines() == ["''", "to stderr"]
    assert child.last_words(1) == "to stderr"


def test_a_large_log_begins_anew_and_the_old_one_is_kept(
    make: Callable[..., Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "LOG_LIMIT", 10)
    child = make("print('second life')")
    child.log.parent.mkdir(parents=True)
    child.log.write_text("first life, a long one\n")
    child.start()
    process_of(child).wait(PATIENCE)
    assert child.log.read_text() == "second life\n"
    assert child.log.with_suffix(".old.log").read_text() == "first life, a long one\n"


def test_a_small_log_is_continued(make: Callable[..., Child]) -> None:
    child = make("print('second life')")
    child.log.parent.mkdir(parents=True)
    child.log.write_text("first life\n")
    child.start()
    process_of(child).wait(PATIENCE)
    assert child.log.read_text() == "first life\nsecond life\n"


def test_a_child_has_its_own_session_so_that_ctrl_c_reaches_the_parent_alone(make: Callable[..., Child]) -> None:
    child = make(LIVES)
    child.start()
    assert os.getsid(process_of(child).pid) == process_of(child).pid


def test_a_child_inherits_what_it_is_given_and_nothing_else(make: Callable[..., Child], tmp_path: Path) -> None:
    with (tmp_path / "given").open("w") as given, (tmp_path / "kept").open("w") as kept:
        os.set_inheritable(kept.fileno(), True)
        child = make(
            f"import os; os.write({given.fileno()}, b'written'); os.fstat({kept.fileno()})", inherit=(given.fileno(),)
        )
        child.start()
        assert process_of(child).wait(PATIENCE) == 1
    assert (tmp_path / "given").read_text() == "written"
    assert "Bad file descriptor" in child.last_words()


def test_all_are_stopped_by_term_and_the_stubborn_by_kill(
    make: Callable[..., Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "GRACE", 0.3)
    kind, stubborn, dead, never = make(LIVES), make(STUBBORN), make(DIES), make(LIVES)
    for child in (kind, stubborn, dead):
        child.start()
    process_of(dead).wait(PATIENCE)
    wait_until_up(kind)
    wait_until_up(stubborn)
    stop_all([kind, stubborn, dead, never])
    assert [process_of(child).returncode for child in (kind, stubborn, dead)] == [-15, -9, 7]
    assert never.process is None


def test_a_child_whose_parent_is_gone_before_it_begins_does_not_begin(tmp_path: Path) -> None:
    """The guard is told who its parent is; somebody else's child is an orphan already."""
    mark = tmp_path / "began"
    program = [sys.executable, "-c", f"open({str(mark)!r}, 'w')"]
    for parent, begins in ((os.getppid(), False), (os.getpid(), True)):
        done = subprocess.run([sys.executable, "-c", GUARD, str(parent), *program], timeout=PATIENCE, check=False)
        assert (done.returncode, mark.exists()) == (0, begins)
