"""Throwaway PostgreSQL and Redis servers for a command: started before it, ended after it, nothing left behind.

    python tests/servers.py --postgres --redis -- python -m pytest -q

The command finds `DATABASE_URL` and `REDIS_URL` in its environment. PostgreSQL refuses to run as root; started by
root, it runs as the system's user `postgres`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PATIENCE = 30.0


class Missing(RuntimeError):
    """A server's program is not installed."""


def free_port() -> int:
    """A port of the loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """The path of a server's program; Debian keeps PostgreSQL's out of the search path."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or (str(places[0]) if places else "")
    if not found:
        raise Missing(f"{name} is not installed: install the packages postgresql and redis-server.")
    return found


@contextmanager
def running(command: list[str], port: int, *, log: Path, user: str | None = None) -> Iterator[None]:
    """A child that listens on the port, until the block ends."""
    with log.open("wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=out, user=user, cwd=log.parent)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if child.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start: {log.read_text()[-2000:]}") from None
                time.sleep(0.05)
        yield
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """A new cluster; yields its `DATABASE_URL`. `durable` keeps fsync, as a measurement must."""
    initdb, server = program("initdb"), program("postgres")
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="blindfold-pg-") as name:
        folder, port = Path(name), free_port()
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [initdb, "-D", str(data), "-A", "trust", "-U", "arena", "--encoding=UTF8", "--locale=C"],
            check=True, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        options = [f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
        if not durable:
            options += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        command = [server, "-D", str(data), *(part for option in options for part in ("-c", option))]
        with running(command, port, log=folder / "log", user=user):
            yield f"postgres://arena@127.0.0.1:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """A new Redis without persistence; yields its `REDIS_URL`."""
    server = program("redis-server")
    with tempfile.TemporaryDirectory(prefix="blindfold-redis-") as name:
        port = free_port()
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with running(command, port, log=Path(name) / "log"):
            yield f"redis://127.0.0.1:{port}/0"


def main(arguments: list[str]) -> int:
    """Runs the command after `--` with the servers asked for, and answers with its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true", help="start PostgreSQL and set DATABASE_URL")
    parser.add_argument("--redis", action="store_true", help="start Redis and set REDIS_URL")
    parser.add_argument("command", nargs="+", help="what to run, after --")
    options = parser.parse_args(arguments)
    env = dict(os.environ)
    with ExitStack() as servers:
        if options.postgres:
            env["DATABASE_URL"] = servers.enter_context(postgres())
        if options.redis:
            env["REDIS_URL"] = servers.enter_context(redis())
        return subprocess.run(options.command, env=env, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Missing as error:
        sys.exit(str(error))
