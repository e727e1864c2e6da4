"""A real instance, started as an operator starts it, and a real browser."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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
