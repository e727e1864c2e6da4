from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from arena.competitors import local_model
from arena.competitors.local import LOCAL_COMPETITORS, MAX_TOKENS
from arena.competitors.local_model import LocalModelUnavailable, running_local_model, why_unavailable
from arena.competitors.providers import (
    Delta,
    EndpointAddress,
    Finish,
    GenerationSettings,
    Message,
    OpenAICompatibleProvider,
    close_shared_clients,
)

ROOT = Path(__file__).resolve().parents[2]
needs_packages = pytest.mark.skipif(why_unavailable() is not None, reason=str(why_unavailable()))


def started(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "arena.competitors.local_model", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def package_with(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    files = [SimpleNamespace(suffix=path.suffix, locate=lambda path=path: path) for path in paths]
    monkeypatch.setattr(importlib.metadata, "files", lambda _name: files)


def test_five_local_competitors_differ_in_settings_and_say_how() -> None:
    settings = {(one.system_prompt, one.temperature, one.top_p) for one in LOCAL_COMPETITORS}
    assert len(settings) == len({one.name for one in LOCAL_COMPETITORS}) == len(LOCAL_COMPETITORS) == 5
    for one in LOCAL_COMPETITORS:
        assert one.max_tokens == MAX_TOKENS
        said = str(int(one.temperature)) if one.temperature in (0, 1) else str(one.temperature)
        assert f"temperature {said}" in one.description


@needs_packages
def test_the_revision_of_the_local_competitors_is_that_of_the_weights() -> None:
    assert {one.revision for one in LOCAL_COMPETITORS} == {local_model.weights_revision()}


def test_missing_packages_are_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "WEIGHTS_PACKAGE", "no-such-weights")
    if importlib.util.find_spec("xllamacpp"):
        assert "no-such-weights" in (why_unavailable() or "")
    monkeypatch.setattr(local_model, "SERVER_PACKAGE", "no_such_server")
    reason = why_unavailable() or ""
    assert "no_such_server" in reason
    assert "pip install" in reason


def test_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for content in (b"", b"<html>", b"GGUF cut off"):
        (tmp_path / "model.gguf").write_bytes(content)
        package_with(monkeypatch, tmp_path / "model.gguf")
        with pytest.raises(LocalModelUnavailable, match="damaged"):
            local_model.find_weights()
    package_with(monkeypatch, tmp_path / "gone.gguf")
    with pytest.raises(LocalModelUnavailable, match="cannot be read"):
        local_model.find_weights()
    package_with(monkeypatch, tmp_path / "README.md")
    with pytest.raises(LocalModelUnavailable, match=r"no \.gguf file"):
        local_model.find_weights()


@needs_packages
def test_weights_that_are_cut_short_end_with_code_3_and_one_sentence(tmp_path: Path) -> None:
    whole = local_model.find_weights()
    with whole.open("rb") as source:
        (tmp_path / "short.gguf").write_bytes(source.read(2_000_000))
    script = (
        "import sys, pathlib; from arena.competitors import local_model;"
        f"local_model.find_weights = lambda: pathlib.Path({str(tmp_path / 'short.gguf')!r});"
        "sys.exit(local_model.main(['--port', '0']))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert done.stdout == ""
    assert "did not start" in done.stderr.splitlines()[-1]


@needs_packages
async def test_the_local_model_answers_and_is_gone_afterwards() -> None:
    with running_local_model() as url:
        assert url.startswith("http://127.0.0.1:")
        provider = OpenAICompatibleProvider(EndpointAddress(url))
        items = []
        settings = GenerationSettings(local_model.MODEL_ID, temperature=0.0, max_tokens=20)
        async for item in provider.stream([Message("user", "What is the capital of France?")], settings):
            items.append(item)
        await close_shared_clients()
    assert "Paris" in "".join(item.text for item in items if isinstance(item, Delta))
    finish = items[-1]
    assert isinstance(finish, Finish)
    assert finish.output_tokens
    port = int(url.split(":")[2].split("/")[0])
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)


@needs_packages
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    child = started("--port", "0")
    assert child.stdout is not None
    assert "answers at" in child.stdout.readline()
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (0, "", "")


@needs_packages
def test_a_taken_port_is_said_with_code_3() -> None:
    with running_local_model() as url:
        child = started("--port", url.split(":")[2].split("/")[0])
        out, err = child.communicate(timeout=60)
    assert child.returncode == 3
    assert out == ""
    assert "port" in err


@needs_packages
def test_it_ends_when_its_parent_dies() -> None:
    script = (
        "import subprocess, sys; c = subprocess.Popen([sys.executable, '-m', 'arena.competitors.local_model', "
        "'--port', '0'], stdout=subprocess.PIPE); c.stdout.readline(); print(c.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    until = time.monotonic() + 15
    while time.monotonic() < until and runs(pid):
        time.sleep(0.1)
    assert not runs(pid)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
