"""A throwaway interpreter with the neighbours, outside of the checkout, kept by its pins' hash for the next run."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

PINS = {
    "choix": "choix==0.4.1",
    "arenakit": "arenakit==0.1.1",
    "arena-rank": "arena-rank==0.1.1",
    "scikit-learn": "scikit-learn==1.9.1",
    "pandas": "pandas==3.1.1",
}
MINUTES = 20
"""arena-rank alone is 900 MB."""


@dataclass(frozen=True)
class Peers:
    """The interpreter, and why a package is not in it."""

    python: str
    missing: dict[str, str]


def peers() -> Peers:
    """Makes or finds the interpreter; a package that cannot be installed is named with the reason, and asked again."""
    word = hashlib.sha256(json.dumps([PINS, sys.version]).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir(), f"blindfold-bench-{os.getuid()}-{word}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise SystemExit(f"{folder} belongs to somebody else: remove it, or set TMPDIR.")
    python, done = folder / "bin" / "python", folder / "installed.json"
    if not done.exists():
        venv.create(folder, with_pip=True, symlinks=True)
        done.write_text("[]")
    have: list[str] = json.loads(done.read_text())
    missing = {}
    for name, pin in PINS.items():
        if name in have:
            continue
        sys.stderr.write(f"installing {pin} into {folder}\n")
        if reason := install(str(python), pin):
            missing[name] = reason
        else:
            have.append(name)
            done.write_text(json.dumps(have))
    return Peers(str(python), missing)


def install(python: str, pin: str) -> str:
    """Empty when it went well; otherwise the last line of what pip said."""
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", pin]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        return f"pip took longer than {MINUTES} minutes"
    return "" if run.returncode == 0 else (run.stderr.strip().splitlines() or ["pip said nothing"])[-1][:200]
