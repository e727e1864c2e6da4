"""Processes of ours: started, watched, started again with growing pauses, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

FIRST_PAUSE = 0.2
HEALTHY_AFTER = 60.0
LOG_LIMIT = 5_000_000
GRACE = 8.0

# Run in the child before the program itself: on Linux the kernel ends it when its parent dies, however that dies.
GUARD = (
    "import ctypes, os, signal, sys\n"
    "parent = int(sys.argv[1])\n"
    "if sys.platform == 'linux': ctypes.CDLL(None).prctl(1, signal.SIGTERM)\n"
    "os.getppid() == parent or sys.exit(0)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


@dataclass
class Child:
    """One process and its history. `gives_up_on` is an exit code that means "I cannot run here"."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    inherit: tuple[int, ...] = ()
    longest_pause: float = 30.0
    gives_up_on: int | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    restart_at: float = 0.0
    given_up: bool = field(default=False)

    def start(self) -> None:
        """Starts the process; its output goes to its log, which begins anew when it is large."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", GUARD, str(os.getpid()), *self.command],
                env=dict(self.env), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                pass_fds=self.inherit, start_new_session=True,
            )  # fmt: skip
        self.started_at = time.monotonic()

    def look(self, *, now: float) -> str:
        """One look: starts again what has ended, when its pause is over. Returns a sentence if something happened."""
        if self.process is None or self.given_up:
            return ""
        code = self.process.poll()
        if code is None:
            if now - self.started_at > HEALTHY_AFTER:
                self.pause = FIRST_PAUSE
            return ""
        if code == self.gives_up_on:
            self.given_up = True
            return ""
        if not self.restart_at:
            self.restart_at = now + self.pause
            self.pause = min(self.pause * 2, self.longest_pause)
            return f"{self.name} ended with code {code}; starting it again. Its log: {self.log}"
        if now >= self.restart_at:
            self.restart_at = 0.0
            self.start()
        return ""

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def stop_all(children: Sequence[Child]) -> None:
    """TERM to all, then KILL to what is left after the grace."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + GRACE
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
