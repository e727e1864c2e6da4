"""A process under measurement: asked for one job at a time, it answers with seconds, memory and a result.

    python tests/bench/ratings_child.py ratings_ours|ratings_peers JOB WORLD

One line in is one timed run of the job; one line of JSON comes out. Loading the world is neither timed nor counted.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"}
"""One BLAS thread on both sides: at these sizes more only cost."""
CHOSEN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""What may have been set for this machine: neither side gets it, so that both choose their kernels themselves."""


def environment() -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if name not in CHOSEN}, **QUIET}


class Worker:
    """One side of one goal, in an interpreter of its own."""

    def __init__(self, python: str, module: str, job: str, world: Path) -> None:
        command = [python, str(HERE / "ratings_child.py"), module, job, str(world)]
        self.log = world.with_suffix(f".{module}.{job}.log")
        with self.log.open("wb") as errors:
            self.process = subprocess.Popen(
                command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )

    def run(self, rounds: int) -> dict[str, Any]:
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(f"{rounds}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("it ended: " + self.log.read_text().strip().rpartition("\n")[2][:200])
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        self.process.communicate()


def about(python: str, packages: list[str]) -> dict[str, Any]:
    """Versions of packages in an interpreter, and the kernel that its numpy's OpenBLAS chose."""
    command = [python, str(HERE / "ratings_child.py"), "about", *packages]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def versions(packages: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"python": sys.version.split()[0]}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found | {"kernel": kernel()}


def kernel() -> str:
    importlib.import_module("numpy")
    maps = Path("/proc/self/maps").read_text().splitlines()
    for path in sorted({line.split()[-1] for line in maps if "openblas" in line}):
        library = ctypes.CDLL(path)
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename", "openblas_get_corename"):
            if hasattr(library, name):
                getattr(library, name).restype = ctypes.c_char_p
                return str(getattr(library, name)().decode())
    return "not told"


def whole_command(command: list[str], cwd: Path) -> dict[str, Any]:
    """Wall seconds and peak memory of a command from its start to its end, with what it printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    errors = process.stderr.read().decode().strip().rpartition("\n")[2]
    process.stdout.close()
    process.stderr.close()
    if process.returncode:
        raise RuntimeError(f"it ended with {process.returncode}: {errors[:200]}")
    return {"seconds": seconds, "peak_mb": usage.ru_maxrss / 1024, "printed": printed.decode()}


def memory(word: str) -> float:
    """VmRSS (now) or VmHWM (its peak) of this process, MB."""
    return int(Path("/proc/self/status").read_text().split(f"{word}:")[1].split()[0]) / 1024


def serve(load: Callable[[str], Any], run: Callable[[Any, int], Any], world: str) -> None:
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is not an answer
    state = load(world)
    for line in sys.stdin:
        Path("/proc/self/clear_refs").write_text("5")
        loaded = memory("VmRSS")
        start = time.perf_counter()
        answer = run(state, int(line))
        seconds = time.perf_counter() - start
        peak = memory("VmHWM")
        reply = {"seconds": seconds, "peak_mb": peak, "extra_mb": peak - loaded, "answer": answer}
        replies.write(json.dumps(reply, default=lambda array: array.tolist()) + "\n")


if __name__ == "__main__":
    sys.path[0] = str(HERE)
    sys.path.append(str(HERE.parents[1]))
    if sys.argv[1] == "about":
        print(json.dumps(versions(sys.argv[2:])))
    else:
        jobs = importlib.import_module(sys.argv[1]).JOBS
        serve(*jobs[sys.argv[2]], sys.argv[3])
