"""A generation run is killed half-way: the next worker goes on, and what was stored is not asked for again."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.bench.product import Child, Product

pytestmark = pytest.mark.processes
PROMPTS, MODELS = 40, 4


class Counting:
    """An endpoint that remembers which question it answered to the end, for which model."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()
        self.answered: Counter[tuple[str, str]] = Counter()
        counting = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                question = (body["model"], body["messages"][-1]["content"])
                counting.asked[question] += 1
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for word in ("An", " answer", " in", " four"):
                        time.sleep(0.03)
                        self._say({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
                    self._say({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
                               "usage": {"prompt_tokens": 5, "completion_tokens": 4}})  # fmt: skip
                    self.wfile.write(b"data: [DONE]\n\n")
                    counting.answered[question] += 1
                except OSError:  # whoever asked is gone
                    pass

            def _say(self, chunk: object) -> None:
                self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1"


@pytest.fixture
def counting() -> Iterator[Counting]:
    endpoint = Counting()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()


def worker(instance: Product, folder: Path, number: int) -> Child:
    command = (sys.executable, "manage.py", "run_worker", "--tick", "0.2")
    return Child(*command, env={**os.environ, **instance.env}, log=folder / f"worker-{number}.log")


def test_a_killed_run_goes_on_and_pays_nothing_twice(
    product: Callable[..., Product], counting: Counting, database_url: str, tmp_path: Path
) -> None:
    instance = product(database_url=database_url)
    run = instance.script("generation_run", base_url=counting.base_url, prompts=PROMPTS, models=MODELS)["run"]

    first = worker(instance, tmp_path, 1)
    deadline = time.monotonic() + 60
    while sum(counting.answered.values()) < PROMPTS * MODELS // 2:
        assert time.monotonic() < deadline, first.log.read_text()
        time.sleep(0.02)
    first.process.kill()
    first.process.wait()
    time.sleep(0.5)
    before = counting.answered.copy()
    assert sum(before.values()) < PROMPTS * MODELS, "nothing was left to go on with"

    with worker(instance, tmp_path, 2) as second:
        deadline = time.monotonic() + 90
        while (said := instance.script("generation_status", run=run))["state"] != "finished":
            assert time.monotonic() < deadline, f"{said} {second.log.read_text()}"
            time.sleep(0.3)
    assert len(counting.answered) == PROMPTS * MODELS
    repeated = [question for question, times in counting.answered.items() if times > 1]
    print(f"\n{sum(before.values())} answers before the kill, {len(repeated)} asked again, {said}")
    assert len(repeated) <= 4, "only what was under way at the kill, at most one for each place"
    assert said["answers"] == PROMPTS * MODELS
    assert said["spent"] == PROMPTS * MODELS * 9, "each answer is charged once: 5 tokens in and 4 out, at 1 each"
