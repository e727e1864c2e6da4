"""Each thing that keeps Blindfold from starting is one sentence that names the value and says what to do."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from arena.start import checks
from arena.start.checks import CannotStart

Refusal = Callable[..., str]


@pytest.fixture
def refusal(one_sentence: Callable[[str], str]) -> Refusal:
    """Calls a check that must refuse; gives its one sentence."""

    def refused(check: Callable[..., Any], *arguments: Any) -> str:
        with pytest.raises(CannotStart) as caught:
            check(*arguments)
        return one_sentence(str(caught.value))

    return refused


@pytest.mark.parametrize("word", ["banana", "0", "-1", "65536", "80.5", "0x50", "8000 8001", "٨٠٠٠", "9" * 5000])
def test_a_word_that_is_no_port_is_refused(word: str, refusal: Refusal) -> None:
    said = refusal(checks.port_of, {"PORT": word})
    assert f"PORT={word!r}" in said and "from 1 to 65535" in said


@pytest.mark.parametrize(("word", "port"), [("", 8000), (" ", 8000), ("1", 1), (" 8080 ", 8080), ("65535", 65535)])
def test_ports_are_read(word: str, port: int) -> None:
    assert checks.port_of({"PORT": word}) == port


def test_without_a_port_it_is_8000() -> None:
    assert checks.port_of({}) == 8000


def test_a_taken_port_is_named_with_another_to_try(refusal: Refusal) -> None:
    with checks.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        said = refusal(checks.listen, "127.0.0.1", port)
    assert f"Port {port} is taken" in said and f"PORT={port + 1}" in said


def test_a_port_is_free_again_at_once_after_a_connection() -> None:
    with checks.listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address):
            served, _ = listener.accept()
            served.close()  # the server closes first, so the port lingers in TIME_WAIT
    checks.listen(*address).close()


def test_children_inherit_the_listener() -> None:
    with checks.listen("127.0.0.1", 0) as listener:
        assert listener.get_inheritable()


@pytest.mark.parametrize("host", ["a..b", "ä..b", "192.0.2.1", "[::1]"])
def test_a_host_that_is_not_this_machine_is_refused(host: str, refusal: Refusal) -> None:
    said = refusal(checks.listen, host, 8000)
    assert f"HOST={host!r}" in said and "use 127.0.0.1, 0.0.0.0" in said


def test_a_privileged_port_asks_for_a_higher_one(monkeypatch: pytest.MonkeyPatch, refusal: Refusal) -> None:
    class Denied(socket.socket):
        def bind(self, address: Any) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("arena.start.checks.socket.socket", Denied)
    assert "above 1023" in refusal(checks.listen, "127.0.0.1", 80)


def test_no_database_yet_is_no_fault(tmp_path: Path) -> None:
    checks.check_database("", tmp_path / "new.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "new.sqlite3").touch()
    checks.check_database("", tmp_path / "new.sqlite3")


@pytest.mark.parametrize("content", [b"no database at all, " * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_corrupt_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes, refusal: Refusal) -> None:
    file = tmp_path / "broken.sqlite3"
    file.write_bytes(content)
    for url in ("", f"sqlite:///{file}"):
        said = refusal(checks.check_database, url, file)
        assert str(file) in said and "restore it from a backup" in said
    assert file.read_bytes() == content and list(tmp_path.iterdir()) == [file]


def test_a_folder_is_no_database(tmp_path: Path, refusal: Refusal) -> None:
    assert str(tmp_path) in refusal(checks.check_database, "", tmp_path)


def test_a_database_in_a_missing_folder_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    said = refusal(checks.check_database, f"sqlite:///{tmp_path}/missing/file.sqlite3", tmp_path / "unused")
    assert "missing/file.sqlite3" in said and "DATABASE_URL" in said


def test_a_database_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    file = a_database(tmp_path / "file.sqlite3")
    monkeypatch.setattr("arena.start.checks.os.access", lambda path, mode: False)
    assert "not writable" in refusal(checks.check_database, "", file)


@pytest.mark.parametrize("name", ["plain.sqlite3", "a b.sqlite3", "what?.sqlite3", "50%41#.sqlite3"])
def test_a_sound_database_passes_whatever_its_name(tmp_path: Path, name: str) -> None:
    checks.check_database("", a_database(tmp_path / name))
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_the_database_of_the_url_is_looked_at_not_the_default(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "a b.sqlite3").write_bytes(b"no database at all, " * 100)
    default = a_database(tmp_path / "default.sqlite3")
    assert "a b.sqlite3" in refusal(checks.check_database, f"sqlite:///{tmp_path}/a%20b.sqlite3", default)


def test_a_database_server_that_does_not_answer_is_refused_without_its_password(
    closed_port: int, refusal: Refusal
) -> None:
    url = f"postgres://arena:open-sesame@127.0.0.1:{closed_port}/arena"
    said = refusal(checks.check_database, url, Path("unused"))
    assert "DATABASE_URL" in said and str(closed_port) in said and "start it" in said
    assert "open-sesame" not in said


@pytest.mark.parametrize("url", ["mysql://host/name", "banana", "postgres://host:port/name?what=that"])
def test_a_database_address_that_is_not_understood_is_left_to_the_settings(url: str, tmp_path: Path) -> None:
    checks.check_database(url, tmp_path / "unused.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_a_redis_that_does_not_answer_is_refused_without_its_password(closed_port: int, refusal: Refusal) -> None:
    said = refusal(checks.check_redis, f"redis://:open-sesame@127.0.0.1:{closed_port}/0")
    assert "REDIS_URL" in said and "start it" in said
    assert "open-sesame" not in said


@pytest.mark.parametrize("word", ["two", "0", "65", "-1", "1.5", "9" * 5000])
def test_a_word_that_is_no_number_of_processes_is_refused(word: str, refusal: Refusal) -> None:
    said = refusal(checks.process_count, {"WEB_PROCESSES": word, "REDIS_URL": "redis://host"})
    assert f"WEB_PROCESSES={word!r}" in said and "from 1 to 64" in said


@pytest.mark.parametrize("redis", ["", " "])
def test_several_web_processes_need_redis(redis: str, refusal: Refusal) -> None:
    assert "REDIS_URL" in refusal(checks.process_count, {"WEB_PROCESSES": "2", "REDIS_URL": redis})
    assert checks.process_count({"WEB_PROCESSES": "2", "REDIS_URL": "redis://host"}) == 2
    assert checks.process_count({"REDIS_URL": redis}) == 1


@pytest.mark.parametrize("word", ["of", "no", "0", "true"])
def test_an_unknown_word_for_the_local_model_is_refused(word: str, refusal: Refusal) -> None:
    said = refusal(checks.local_model_wanted, {"LOCAL_MODEL": word})
    assert f"LOCAL_MODEL={word!r}" in said and "on, off" in said


@pytest.mark.parametrize(("word", "wanted"), [("", True), ("on", True), ("off", False), (" OFF ", False)])
def test_the_local_model_can_be_switched_off(word: str, wanted: bool) -> None:
    assert checks.local_model_wanted({"LOCAL_MODEL": word}) is wanted


def test_a_folder_inside_a_file_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "var"):
        assert f"VAR_DIR={str(folder)!r}" in refusal(checks.make_folder, folder)


def test_a_folder_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    monkeypatch.setattr("arena.start.checks.os.access", lambda path, mode: False)
    assert "not writable" in refusal(checks.make_folder, tmp_path)


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    checks.make_folder(tmp_path / "deep" / "var")
    assert (tmp_path / "deep" / "var").stat().st_mode & 0o777 == 0o700


def test_one_folder_is_held_by_one_instance_until_it_lets_go(tmp_path: Path, refusal: Refusal) -> None:
    with checks.lock_folder(tmp_path) as held:
        assert not os.get_inheritable(held.fileno()), "children would hold the folder after their parent's death"
        said = refusal(checks.lock_folder, tmp_path)
        assert "already runs" in said and str(tmp_path) in said
    checks.lock_folder(tmp_path).close()


def a_database(file: Path) -> Path:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE kept (id)")
    return file
