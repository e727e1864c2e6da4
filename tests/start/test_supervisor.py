"""The parent with real children: nothing is left behind, nothing kept is lost, and refusals are one sentence.

Whole starts are dear, so two lives of one installation are watched once and the tests look at what was seen.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from arena.start.checks import CannotStart
from arena.start.supervisor import Instance, _steady_port, process_name

Start = Callable[..., Any]


@dataclass
class Seen:
    """What one life of the installation showed."""

    port: int = 0
    said: str = ""
    errors: str = ""
    code: int = 99
    health: tuple[int, dict[str, Any]] = (0, {})
    family: set[int] = field(default_factory=set)
    left_behind: set[int] = field(default_factory=set)
    key: str = ""
    counts: dict[str, int] = field(default_factory=dict)


def ask(port: int) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException):
        return 0, {}
    finally:
        connection.close()


def web_of(parent: Any) -> set[int]:
    """The web processes: everything but the worker."""
    found: set[int] = parent.family() - parent.family(having="run_worker")
    return found


def counts(var: Path) -> dict[str, int]:
    with closing(sqlite3.connect(var / "blindfold.sqlite3")) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation") / "var"


@pytest.fixture(scope="module")
def first_life(var: Path, start: Start) -> tuple[Seen, Seen, Seen]:
    """From nothing; its web process is killed; a second parent is tried on its folder; then the parent is killed."""
    parent = start(var)
    seen, second = Seen(port=parent.port), Seen()
    parent.wait_until_ready()
    seen.health = ask(parent.port)
    seen.family = parent.family()
    killed = web_of(parent)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    parent.wait_for(lambda: web_of(parent) - killed, "A new web process")
    parent.wait_for(lambda: ask(parent.port)[0] == 200, "Health after the web process was killed")
    back = Seen(family=web_of(parent) - killed, said=parent.said(), health=ask(parent.port))

    intruder = start(var)
    second.code = intruder.process.wait(60)
    second.errors, second.said = intruder.err.read_text(), intruder.out.read_text()
    second.health = ask(parent.port)

    parent.process.kill()
    seen.code = parent.process.wait()
    parent.wait_for(lambda: not parent.family(), "The end of all children after the parent's")
    seen.left_behind = parent.family()
    seen.key, seen.counts = (var / "secret-key").read_text(), counts(var)
    seen.said = parent.said()
    return seen, back, second


@pytest.fixture(scope="module")
def second_life(var: Path, start: Start, first_life: tuple[Seen, Seen, Seen]) -> Seen:
    """The same folder and port again, after a kill; ended as a terminal does, by SIGINT to the whole group."""
    parent = start(var, first_life[0].port)
    parent.wait_until_ready()
    seen = Seen(port=parent.port, health=ask(parent.port), family=parent.family())
    os.killpg(parent.process.pid, signal.SIGINT)
    seen.code = parent.process.wait(60)
    seen.left_behind = parent.family()
    seen.said, seen.errors = parent.out.read_text(), parent.err.read_text()
    seen.key, seen.counts = (var / "secret-key").read_text(), counts(var)
    return seen


def test_ready_is_said_once_health_holds(first_life: tuple[Seen, Seen, Seen]) -> None:
    seen = first_life[0]
    assert f"Blindfold is ready: http://127.0.0.1:{seen.port}/" in seen.said
    assert f"operates everything here:\n  http://127.0.0.1:{seen.port}/setup/" in seen.said
    assert seen.health[0] == 200, seen.health
    assert set(seen.health[1]["arenas"]) >= {"live", "recorded", "sample"}


def test_a_model_that_was_switched_off_is_given_as_the_reason(first_life: tuple[Seen, Seen, Seen]) -> None:
    assert "The arena live is closed. It was switched off with LOCAL_MODEL=off." in first_life[0].said
    assert first_life[0].health[1]["arenas"]["live"]["state"] == "closed"


def test_a_killed_web_process_is_started_again_and_serves(first_life: tuple[Seen, Seen, Seen]) -> None:
    _, back, _ = first_life
    assert len(back.family) == 1
    assert back.health[0] == 200
    assert "web-1 ended with code -9; starting it again" in back.said


def test_a_second_parent_on_the_same_folder_is_refused_and_harms_nothing(
    first_life: tuple[Seen, Seen, Seen], var: Path, one_sentence: Callable[[str], str]
) -> None:
    second = first_life[2]
    said = one_sentence(second.errors)
    assert second.code == 1 and second.said == ""
    assert "already runs" in said and str(var) in said
    assert second.health[0] == 200, "the first one must go on"


def test_a_killed_parent_leaves_no_child(first_life: tuple[Seen, Seen, Seen]) -> None:
    seen = first_life[0]
    assert seen.code == -signal.SIGKILL
    assert len(seen.family) == 2, "a web process and a worker"
    assert seen.left_behind == set()


def test_a_killed_parent_keeps_neither_port_nor_folder_from_the_next(second_life: Seen) -> None:
    assert second_life.health[0] == 200


def test_the_second_start_keeps_the_secret_key(first_life: tuple[Seen, Seen, Seen], second_life: Seen) -> None:
    assert len(first_life[0].key) >= 50
    assert second_life.key == first_life[0].key


def test_the_second_start_keeps_all_data_and_seeds_nothing_twice(
    first_life: tuple[Seen, Seen, Seen], second_life: Seen
) -> None:
    before, after = first_life[0].counts, second_life.counts
    assert before["battles_vote"] > 1000
    assert after == before


def test_ctrl_c_ends_everything_calmly(second_life: Seen) -> None:
    assert second_life.code == 0
    assert second_life.said.splitlines()[-1] == "Stopped."
    assert second_life.errors == ""
    assert len(second_life.family) == 2
    assert second_life.left_behind == set()


@pytest.mark.usefixtures("second_life")
def test_nothing_in_the_folder_is_for_other_users(var: Path) -> None:
    assert var.stat().st_mode & 0o777 == 0o700
    assert (var / "secret-key").stat().st_mode & 0o777 == 0o600


def test_term_in_the_middle_of_a_start_leaves_nothing(start: Start, tmp_path: Path) -> None:
    parent = start(tmp_path / "var")
    parent.wait_for(lambda: parent.family(having="manage.py"), "The first command")
    parent.process.terminate()
    assert parent.process.wait(60) == 0
    parent.wait_for(lambda: not parent.family(), "The end of the command")
    assert parent.out.read_text() == "Stopped.\n" and parent.err.read_text() == ""


def test_two_stop_signals_at_one_instant_are_one_stop(start: Start, tmp_path: Path) -> None:
    """As `make` and a terminal send them: one to the group, and one forwarded."""
    parent = start(tmp_path / "var")
    parent.wait_for(lambda: parent.family(having="manage.py"), "The first command")
    for number in (signal.SIGINT, signal.SIGTERM):
        parent.process.send_signal(number)
    assert parent.process.wait(60) == 0
    parent.wait_for(lambda: not parent.family(), "The end of the command")
    assert parent.err.read_text() == ""


def test_a_taken_port_stops_the_start(start: Start, tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        parent = start(tmp_path / "var", taken.getsockname()[1])
        assert parent.process.wait(60) == 1
    assert f"Port {parent.port} is taken" in one_sentence(parent.err.read_text())
    assert parent.out.read_text() == "" and not parent.family()


@pytest.mark.parametrize(
    ("variable", "value", "advice"),
    [
        ("PORT", "banana", "from 1 to 65535"),
        ("HOST", "192.0.2.1", "use 127.0.0.1, 0.0.0.0"),
        ("WEB_PROCESSES", "two", "from 1 to 64"),
        ("LOCAL_MODEL", "maybe", "on, off"),
        ("DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3", "DATABASE_URL"),
        ("DATABASE_URL", "mysql://host/name", "postgres://"),
        ("ARENA_RATE_LIMITS", "sometimes", "on, off"),
    ],
)
def test_an_unknown_word_stops_the_start_and_leaves_nothing(
    variable: str, value: str, advice: str, start: Start, tmp_path: Path, one_sentence: Callable[[str], str]
) -> None:
    parent = start(tmp_path / "var", **{variable: value})
    assert parent.process.wait(60) == 1
    said = one_sentence(parent.err.read_text())
    assert value.split(":")[0] in said and advice in said
    assert "manage.py" not in said, "the operator did not call it"
    assert parent.out.read_text() == "" and not parent.family()


def test_a_corrupt_database_stops_the_start(start: Start, tmp_path: Path, one_sentence: Callable[[str], str]) -> None:
    var = tmp_path / "var"
    var.mkdir()
    (var / "blindfold.sqlite3").write_bytes(b"no database at all, " * 100)
    parent = start(var)
    assert parent.process.wait(60) == 1
    assert "restore it from a backup" in one_sentence(parent.err.read_text())
    assert (var / "blindfold.sqlite3").read_bytes() == b"no database at all, " * 100


@pytest.mark.parametrize(
    ("complaint", "said"),
    [
        ("django.core.exceptions.ImproperlyConfigured: X='y' is bad: use z.", "X='y' is bad: use z."),
        ("django.db.utils.OperationalError: disk I/O error", "look into {log}, and start again."),
        ("", "failed (no reason was given): look into {log}, and start again."),
    ],
)
def test_a_failing_command_is_one_sentence_and_its_words_are_kept(
    complaint: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_sentence: Callable[[str], str]
) -> None:
    script = tmp_path / "root" / "manage.py"
    script.parent.mkdir()
    script.write_text(f"import sys; sys.stderr.write('\\n' + {complaint!r} + '\\n\\n'); sys.exit(1)")
    monkeypatch.setattr("arena.start.supervisor.ROOT", script.parent)
    instance = Instance({**os.environ, "VAR_DIR": str(tmp_path)})
    with pytest.raises(CannotStart) as refused:
        instance._manage("migrate")
    assert one_sentence(str(refused.value)).endswith(said.format(log=tmp_path / "logs/start.log"))
    assert complaint in (tmp_path / "logs/start.log").read_text()


def test_the_port_of_the_local_model_stays_while_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "port"
    first = _steady_port(file)
    assert _steady_port(file) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        assert _steady_port(file) != first
    file.write_text("no number")
    assert _steady_port(file) > 0


def test_instances_that_share_a_database_have_processes_of_different_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one name, the start of the second would void what the first is answering."""
    names = set()
    for host in ("one", "other", "x" * 64):
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        names |= {process_name(number, port) for number in (1, 2) for port in (8000, 8001)}
        assert process_name(1, 8000) == process_name(1, 8000)
    assert len(names) == 12
    assert all(len(f"{name}:4194304-0123abcd") <= 80 for name in names), "as much as a battle's owner may have"
