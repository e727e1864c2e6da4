"""Starts the product for measuring: a throwaway database, web processes on a free port, nothing else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Child(AbstractContextManager["Child"]):
    """A process of ours, ended with the block."""

    def __init__(self, *command: str, env: dict[str, str], log: Path, fds: tuple[int, ...] = ()) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out, pass_fds=fds)

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Product:
    """One instance under measurement."""

    def __init__(
        self, folder: Path, *, database_url: str = "", processes: int = 1, redis_url: str = "", ports: int = 1
    ) -> None:
        """`processes` share each of so many `ports`."""
        self.folder, self.processes = folder, processes
        folder.mkdir(parents=True, exist_ok=True)
        self.ports = [free_port() for _ in range(ports)]
        self.port = self.ports[0]
        self.env = {
            **os.environ,
            "VAR_DIR": str(folder),
            "DATABASE_URL": database_url or f"sqlite:///{folder}/bench.sqlite3",
            "REDIS_URL": redis_url,
            "ARENA_RATE_LIMITS": "off",
            "PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "arena.settings",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self.children: list[Child] = []
        self._commands: list[tuple[int, socket.socket]] = []

    def manage(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *args], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(args)} failed: {done.stderr[-2000:]}")
        return done.stdout

    def script(self, name: str, *, module: str = "worlds", **arguments: object) -> dict[str, object]:
        """Runs a function of a module of this folder inside the product's Django and returns its JSON."""
        code = (
            "import sys, json; sys.path.insert(0, 'tests/bench'); import django; django.setup(); "
            f"import {module}; print(json.dumps({module}.{name}(**json.loads(sys.argv[1]))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, json.dumps(arguments)], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{name} failed: {done.stderr[-2000:]}")
        result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return result

    def prepare(self) -> None:
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")

    def start(self) -> None:
        """Every process, and then the first page from each port."""
        for port in self.ports:
            listener = socket.create_server(("127.0.0.1", port), backlog=2048)
            self._commands += [(port, listener)] * self.processes
        for number in range(len(self._commands)):
            self.children.append(self._spawn(number))
        for port in self.ports:
            self._wait(port)

    def kill(self, number: int) -> None:
        """As if the machine had: SIGKILL, no farewell."""
        self.children[number].process.kill()
        self.children[number].process.wait()

    def revive(self, number: int) -> None:
        """The same process again, as the parent would start it."""
        self.children[number] = self._spawn(number)
        self._wait(self._commands[number][0])

    def _spawn(self, number: int) -> Child:
        listener = self._commands[number][1]
        env = {**self.env, "BLINDFOLD_PROCESS": f"bench-{number + 1}"}
        command = [sys.executable, "-m", "arena.start.web", str(listener.fileno())]
        return Child(*command, env=env, log=self.folder / f"web-{number + 1}.log", fds=(listener.fileno(),))

    def _wait(self, port: int) -> None:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/a/bench/", timeout=2).read()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("The product did not come up: " + self.children[0].log.read_text()[-2000:])

    def cpu_seconds(self) -> float:
        return sum(child.cpu_seconds() for child in self.children)

    def stop(self) -> None:
        for child in self.children:
            child.__exit__(None, None, None)
        self.children.clear()
        for _, listener in self._commands:
            listener.close()
        self._commands.clear()
