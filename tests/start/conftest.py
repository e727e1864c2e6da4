"""Real processes with their own folder, and what a refusal to start must look like."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = [
    "HOST",
    "PORT",
    "PUBLIC_URL",
    "TRUSTED_PROXIES",
    "DATABASE_URL",
    "DATABASE_POOL",
    "REDIS_URL",
    "WEB_PROCESSES",
    "SECRET_KEY",
    "VAR_DIR",
    "LOCAL_MODEL",
    "LOCAL_MODEL_URL",
    "ARENA_RATE_LIMITS",
    "BLINDFOLD_PROCESS",
    "DJANGO_SETTINGS_MODULE",
]
PATIENCE = 60.0
"""Far beyond what anything here takes: it ends a hanging run and decides nothing else."""


class Parent:
    """`python -m arena.start.supervisor` with a folder and a port of its own, in a session of its own."""

    def __init__(self, var: Path, port: int, out: Path, **environment: str) -> None:
        self.var, self.port, self.out, self.err = var, port, out, out.with_suffix(".err")
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        env = {**inherited, "VAR_DIR": str(var), "PORT": str(port), "LOCAL_MODEL": "off", **environment}
        with out.open("wb") as stdout, self.err.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "arena.start.supervisor"],
                cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        return self.out.read_text() + self.err.read_text()

    def wait_for(self, what: Callable[[], object], why: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline, f"{why} did not happen: {self.said()}"
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.said()
            return "Blindfold is ready" in self.out.read_text()

        self.wait_for(ready, "The start")

    def family(self, having: str = "") -> set[int]:
        """Every living process of this folder but the parent, whoever its parent is now."""
        return {pid for pid, line in living(self.var).items() if having in line} - {self.process.pid}

    def put_away(self) -> None:
        for pid in [*self.family(), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


def living(var: Path) -> dict[int, str]:
    """Processes whose environment names the folder, with their command lines; the dead and unreaped are none."""
    mark, found = f"VAR_DIR={var}", dict[int, str]()
    if not Path("/proc/self/environ").exists():
        listing = subprocess.run(["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
        return {int(line.split()[0]): line for line in listing.stdout.splitlines() if mark in line}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # gone since, or another user's
            continue
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def one_sentence(text: str) -> str:
    """The text, which is one line that ends as a sentence does and is no traceback."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert lines[0].endswith(".") and not lines[0].startswith(" ") and "Traceback" not in lines[0], text
    return lines[0]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Parent]]:
    """Starts parents, and puts away what they leave."""
    parents: list[Parent] = []
    logs = tmp_path_factory.mktemp("logs")

    def started(var: Path, port: int | None = None, **environment: str) -> Parent:
        parents.append(Parent(var, port or free_port(), logs / f"{len(parents)}.out", **environment))
        return parents[-1]

    yield started
    for parent in parents:
        parent.put_away()


@pytest.fixture(name="one_sentence")
def one_sentence_fixture() -> Callable[[str], str]:
    return one_sentence


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of the loopback on which nobody listens: bound, and so nobody else's, but refusing."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
