"""A real instance, started as an operator starts it, and a real browser."""

from __future__ import annotations

import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.fake_models import CANARY, FAULTY, STEADY

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Instance:
    """A running product: its address, and its management commands."""

    url: str
    env: dict[str, str]
    parent: subprocess.Popen[bytes]

    def manage(self, *args: str) -> str:
        command = [sys.executable, "manage.py", *args]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def health(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=3) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except OSError:
            return {}


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The whole product under its parent, with the local model where its packages are installed."""
    folder, port = tmp_path_factory.mktemp("var"), free_port()
    env = {**os.environ, "VAR_DIR": str(folder), "PORT": str(port), "HOST": "127.0.0.1", "ARENA_RATE_LIMITS": "off"}
    env.pop("DJANGO_SETTINGS_MODULE", None)
    with (folder / "parent.log").open("wb") as out:
        parent = subprocess.Popen(
            [sys.executable, "-m", "arena.start.supervisor"], cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT
        )
    running = Instance(f"http://127.0.0.1:{port}", env, parent)
    try:
        deadline = time.monotonic() + 120
        while "ready" not in (folder / "parent.log").read_text():
            assert parent.poll() is None, (folder / "parent.log").read_text()
            assert time.monotonic() < deadline, (folder / "parent.log").read_text()
            time.sleep(0.3)
        yield running
    finally:
        parent.terminate()
        parent.wait(30)


@dataclass
class Models:
    """The scripted endpoint: its address, and arenas whose two competitors are `STEADY` and `FAULTY` there."""

    instance: Instance
    base_url: str
    trap: Trap

    def arena(self, slug: str, *options: str, first_token: float = 30.0) -> str:
        """A new live arena with endpoints of its own; every name in it holds the canary. Returns its address."""
        manage = self.instance.manage
        manage("add_arena", slug, "--title", slug.title(), "--kind", "live", *options)
        for model in (STEADY, FAULTY):
            endpoint, name = f"{CANARY}-endpoint-{slug}-{model}", model.replace("model", "name")
            manage("add_endpoint", endpoint, "--base-url", self.base_url, "--first-token-seconds", str(first_token))
            manage(
                "add_competitor", name, "--arena", slug, "--endpoint", endpoint, "--model", model, "--organization",
                f"{CANARY} works", "--license", f"{CANARY}-licence", "--system", f"You are {CANARY}.", "--revision",
                f"{CANARY}-revision", "--description", f"Made by {CANARY}.",
            )  # fmt: skip
        return f"{self.instance.url}/a/{slug}/"


class Trap:
    """A foreign server on this machine that remembers every connection, even one that asks for nothing."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        hits = self.hits

        class Remembering(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                hits.append("a connection")
                self.request.settimeout(2)
                try:
                    hits.append(self.request.recv(2000).decode("latin-1").split("\r\n")[0])
                except TimeoutError:  # opened, and nothing asked
                    return
                self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Remembering)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="session")
def models(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    """Models that do what the prompt says, in a process of their own, and the address that they want reached."""
    port, trap = free_port(), Trap()
    with (tmp_path_factory.mktemp("models") / "models.log").open("wb") as out:
        command = [sys.executable, "-m", "tests.journeys.fake_models", str(port), trap.address]
        child = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield Models(instance, f"http://127.0.0.1:{port}/{CANARY}/v1", trap)
    finally:
        child.terminate()
        child.wait(10)
        trap.server.shutdown()
        trap.server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium from the system."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()
