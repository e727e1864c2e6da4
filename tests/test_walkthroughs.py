"""The walkthroughs' commands are run, in their order, against an instance that is thrown away."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.utils import timezone

from arena.competitors import endpoints
from arena.competitors.models import Competitor
from arena.leaderboards.webhooks import signature
from arena.prompts.models import Prompt, PromptSet, RecordedAnswer
from arena.teams import api_tokens, members
from arena.teams.models import Arena, Voter
from tests.test_docs import DOCUMENTS, ROOT


def commands_of(name: str) -> str:
    """Every shell block of a document, for one shell in a folder of its own."""
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENTS[name], flags=re.DOTALL)
    assert blocks
    return "\n".join(blocks).replace(".venv/bin/python manage.py", f".venv/bin/python {ROOT / 'manage.py'}")


@pytest.mark.parametrize(
    ("name", "before", "made"),
    [
        ("docs/first-arena.md", "migrate -v 0", ["votes.csv"]),
        ("docs/analyst.md", "seed", ["votes.csv", "board.csv", "bundle.zip"]),
    ],
    ids=["first arena", "analyst"],
)
def test_every_command_of_a_walkthrough_works(tmp_path: Path, name: str, before: str, made: list[str]) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    env = {**os.environ, "VAR_DIR": str(tmp_path / "var"), "LOCAL_MODEL": "off"}
    env.pop("DATABASE_URL", None)
    manage = f".venv/bin/python {ROOT / 'manage.py'}"
    script = f"set -e\n{manage} migrate -v 0\n{manage} {before}\n{commands_of(name)}"
    env["PYTHONPATH"] = str(ROOT)  # for `-m ratings`
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all((tmp_path / file).stat().st_size for file in made)


@pytest.mark.django_db(transaction=True)
def test_the_pages_on_programs_say_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "look_up_models", lambda endpoint: endpoints.Offer(models=("llama3.2",)))
    arena = Arena.objects.create(slug="support", title="Support", kind="recorded", access="private")
    prompts = PromptSet.objects.create(arena=arena, name="set")
    prompt = Prompt.objects.create(prompt_set=prompts, key="p", text="Which?")
    for name in ("Ash", "Birch"):
        competitor = Competitor.objects.create(arena=arena, name=name, model_id=name)
        RecordedAnswer.objects.create(prompt=prompt, competitor=competitor, text="x", conditions={})
    user = User.objects.create_user("owner", is_staff=True)
    members.appoint(arena, Voter.objects.create(user=user), "owner")
    soon = timezone.now() + timedelta(days=1)
    _row, token = api_tokens.make(user, name="x", scopes=list(api_tokens.Scope), expires_at=soon)
    battle, managing, webhook = re.findall(r"```python\n(.*?)```", DOCUMENTS["docs/api.md"], flags=re.DOTALL)
    transport = httpx.WSGITransport(app=get_wsgi_application())
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(transport=transport, base_url="http://127.0.0.1:8000", headers=headers) as client:
        known: dict[str, Any] = {"client": client}
        exec(battle, known)
        exec(managing, known)
    assert {side["name"] for side in known["vote"]["reveal"]["sides"]} == {"Ash", "Birch"}
    assert known["board"]["board"] == []
    assert (known["cedar"]["name"], known["cedar"]["model_id"], known["cedar"]["temperature"]) == (
        "Cedar",
        "llama3.2",
        0.9,
    )
    said = {
        "header": signature("secret", 1, b"{}"),
        "secret": "secret",
        "body": b"{}",
        "hmac": hmac,
        "hashlib": hashlib,
    }
    exec(webhook, said)
    with pytest.raises(AssertionError):
        exec(webhook, {**said, "body": b"{ }"})
