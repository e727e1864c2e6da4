"""One parent for web, worker and local model: starts them, says when ready, starts again what dies, stops all."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from arena.start.checks import (
    CannotStart,
    check_database,
    check_redis,
    listen,
    local_model_wanted,
    lock_folder,
    make_folder,
    port_of,
    process_count,
)
from arena.start.children import Child, stop_all

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 90.0
MODEL_WITHIN = 40.0
ALL_INTERFACES = ("0.0.0.0", "::")  # noqa: S104 - asked for by the operator, and said at the start

BAD_SETTING = "django.core.exceptions.ImproperlyConfigured: "


class Stopped(Exception):
    """SIGINT or SIGTERM."""


def main() -> int:
    """Runs until it is stopped; 0 after a stop, 1 when it could not start."""

    def stop(number: int, frame: FrameType | None) -> None:
        _end_once()  # a second signal at the same instant must not break the stop
        raise Stopped

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    instance = Instance(dict(os.environ))
    try:
        instance.start()
        instance.watch()
    except Stopped:
        pass
    except CannotStart as sentence:
        sys.stderr.write(f"{sentence}\n")
        return 1
    finally:
        _end_once()
        stop_all(instance.children)
        for number in (signal.SIGTERM, signal.SIGINT):  # a handler ends with the interpreter
            signal.signal(number, signal.SIG_IGN)
    print("Stopped.")
    return 0


def _end_once() -> None:
    """Signals do nothing from now on. They are not ignored: one that is pending meanwhile would print a traceback."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)


class Instance:
    """All processes of one installation."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.var = Path(environment.get("VAR_DIR", "").strip() or ROOT / "var").resolve()
        self.environment = {**environment, "VAR_DIR": str(self.var)}
        self.host = environment.get("HOST", "").strip() or "127.0.0.1"
        self.note = self.var / "local-model-unavailable.txt"
        self.children: list[Child] = []
        self.model: Child | None = None
        self.model_port = 0
        self.setup_link = ""

    def start(self) -> None:
        """Checks, migrates, seeds, starts. Raises CannotStart."""
        make_folder(self.var)
        self.port = port_of(self.environment)
        processes = process_count(self.environment)
        with_model = local_model_wanted(self.environment)
        listener = listen(self.host, self.port)
        self.lock = lock_folder(self.var)
        check_database(self.environment.get("DATABASE_URL", ""), self.var / "blindfold.sqlite3")
        check_redis(self.environment.get("REDIS_URL", ""))
        self._start_model(wanted=with_model)
        for command in (["migrate", "--verbosity", "0"], ["collectstatic", "--noinput", "--verbosity", "0"], ["seed"]):
            self._manage(*command)
        for number in range(1, processes + 1):
            self._start_web(number, listener)
        listener.close()
        python = [sys.executable, "manage.py", "run_worker"]
        self._add(Child("worker", python, self.environment, self.var / "logs/worker.log"))
        self.setup_link = self._manage("setup_link").strip()  # while the others start
        self._wait_until_ready()

    def watch(self) -> None:
        """Looks after the children until stopped."""
        while True:
            for child in self.children:
                if sentence := child.look(now=time.monotonic()):
                    print(sentence, flush=True)
            time.sleep(0.1)

    def _add(self, child: Child) -> Child:
        self.children.append(child)
        child.start()
        return child

    def _start_web(self, number: int, listener: socket.socket) -> None:
        # The child inherits the listener; so does each later life of it, through a copy of our own.
        keep = os.dup(listener.fileno())
        os.set_inheritable(keep, True)
        command = [sys.executable, "-m", "arena.start.web", str(keep)]
        env = {**self.environment, "BLINDFOLD_PROCESS": process_name(number, self.port)}
        self._add(Child(f"web-{number}", command, env, self.var / f"logs/web-{number}.log", (keep,), longest_pause=2.0))

    def _start_model(self, *, wanted: bool) -> None:
        """Best effort: without the model everything but live answers works, and the page says why."""
        if not wanted:
            self.note.write_text("It was switched off with LOCAL_MODEL=off.")
            return
        if self.note.exists() and "packages" in self.note.read_text():
            return
        self.model_port = _steady_port(self.var / "local-model-port")
        self.environment["LOCAL_MODEL_URL"] = f"http://127.0.0.1:{self.model_port}/v1"
        self.note.write_text("It is still starting; reload in a moment.")
        command = [sys.executable, "-m", "arena.competitors.local_model", "--port", str(self.model_port)]
        log = self.var / "logs/model.log"
        self.model = self._add(Child("model", command, self.environment, log, gives_up_on=3))

    def _manage(self, *arguments: str) -> str:
        """What the command printed. Raises CannotStart."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if not done.returncode:
            return done.stdout
        log = self.var / "logs/start.log"
        log.parent.mkdir(exist_ok=True)
        log.write_text(done.stdout + done.stderr)
        last = ([line.strip() for line in done.stderr.splitlines() if line.strip()] or ["no reason was given"])[-1]
        if last.startswith(BAD_SETTING):  # already a sentence for the operator
            raise CannotStart(last.removeprefix(BAD_SETTING))
        raise CannotStart(f"`manage.py {arguments[0]}` failed ({last.rstrip('.')}): look into {log}, and start again.")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        model_deadline = time.monotonic() + MODEL_WITHIN
        while True:
            for child in self.children:
                child.look(now=time.monotonic())
            model_settled = self._settle_model(late=time.monotonic() > model_deadline)
            if model_settled and self._ask("/healthz", self.port) == 200:
                break
            if time.monotonic() > deadline:
                web = next(child for child in self.children if child.name == "web-1")
                raise CannotStart(f"The server does not answer. The end of its log:\n{web.last_words()}")
            time.sleep(0.15)
        shown = "127.0.0.1" if self.host in ALL_INTERFACES else f"[{self.host}]" if ":" in self.host else self.host
        if self.host in ALL_INTERFACES:
            print(
                f"Everyone who reaches this machine on your network can vote: http://{_own_address()}:{self.port}/",
                flush=True,
            )
        if self.environment.get("ARENA_RATE_LIMITS", "").strip().lower() == "off":
            print("Limits are off (ARENA_RATE_LIMITS=off): for load tests only.", flush=True)
        if reason := self._model_reason():
            print(f"The arena live is closed. {reason}", flush=True)
        print(f"Blindfold is ready: {self.environment.get('PUBLIC_URL') or f'http://{shown}:{self.port}/'}", flush=True)
        if self.setup_link:
            print("Nobody has an account yet. Make the first one, which operates everything here:", flush=True)
            print(f"  {self.setup_link}", flush=True)

    def _settle_model(self, *, late: bool) -> bool:
        """Whether the model answers or is given up; keeps the note that pages read up to date."""
        if self.model is None:
            return True
        if self._ask("/v1/models", self.model_port) == 200:
            self.note.unlink(missing_ok=True)
            return True
        if self.model.given_up:
            self.note.write_text((self.model.last_words(1) or "Its packages are not installed.").strip())
            return True
        if late:
            self.note.write_text(f"It did not answer within {MODEL_WITHIN:.0f} seconds; see {self.model.log.name}.")
        return late

    def _model_reason(self) -> str:
        return self.note.read_text().strip() if self.note.exists() else ""

    def _ask(self, path: str, port: int) -> int:
        host = self.host if self.host not in ALL_INTERFACES and port == self.port else "127.0.0.1"
        connection = http.client.HTTPConnection(host, port, timeout=3)
        try:
            connection.request("GET", path, headers={"Host": f"localhost:{port}"})
            answer = connection.getresponse()
            body: Any = answer.read()
            if path == "/healthz" and answer.status != 200:
                json.loads(body)
            return answer.status
        except (OSError, http.client.HTTPException, ValueError):
            return 0
        finally:
            connection.close()


def process_name(number: int, port: int) -> str:
    """The same after a restart, and no other's: at its start a process voids what its own earlier life was answering.

    Instances that share a database differ by machine or port.
    """
    return f"{socket.gethostname()[:30]}-{port}-web-{number}"


def _steady_port(file: Path) -> int:
    """The port of last time when it is free, so that it stays over restarts; else a free one."""
    for wanted in (int(file.read_text()) if file.exists() and file.read_text().isdecimal() else 0, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            port = int(probe.getsockname()[1])
            file.write_text(str(port))
            return port
    raise CannotStart("No free port was found for the local model.")


def _own_address() -> str:
    """The address that colleagues would use: that of the interface towards the network. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


if __name__ == "__main__":
    sys.exit(main())
