"""What exporting a large arena costs: seconds and peak memory of each command, at two sizes, and a bundle rebuilt.

    python tests/bench/export_bench.py [--quick]

Each export is a process of its own, as an operator would start it. The votes are simulated, so that nobody's are
needed; the bundle's own command must give the published CSV byte for byte.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from product import ROOT, Product

SIZES = (100_000, 1_000_000)
AT_ONCE = 50_000
"""Battles simulated in one transaction."""


def grow(votes: int, voters: int) -> int:
    """Inside the product's Django: an arena `large` with at least so many votes, published; the snapshot's id."""
    import numpy as np
    from django.utils import timezone

    from arena.battles import simulating
    from arena.competitors.models import Competitor
    from arena.leaderboards.publishing import publish_snapshot
    from arena.teams.models import Arena

    now = timezone.now()
    arena = Arena.objects.create(slug="large", title="Large", kind="live", is_simulated=True)
    field = [Competitor.objects.create(arena=arena, name=f"m{i}", model_id=f"m{i}") for i in range(20)]
    strengths = list(zip(field, np.linspace(1, -1, len(field)).tolist(), strict=True))
    made = 0
    while made < votes:
        battles = min(AT_ONCE, int((votes - made) / 0.9) + 10)
        share = max(1, voters * battles // votes)
        made += simulating.simulate_votes(arena, strengths, voters=share, battles=battles, seed=made, now=now)
    return publish_snapshot(arena, now=now).pk


def measured(command: list[str], env: dict[str, str], cwd: Path) -> tuple[float, float]:
    """Seconds and peak resident memory in MB of a command that must succeed."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        assert child.stderr is not None
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {said.decode()[-2000:]}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def exports(product: Product, snapshot: int, folder: Path) -> dict[str, list[str]]:
    """Every kind of file by its command."""
    manage = [sys.executable, str(ROOT / "manage.py")]
    kinds = ["csv", "jsonl", *(["parquet"] if find_spec("pyarrow") else [])]
    commands = {
        f"votes, {kind}": [*manage, "export_votes", "large", "--format", kind, "--out", str(folder / f"votes.{kind}")]
        for kind in kinds
    }
    whole = ["--full", "--served", str(folder / "served.csv"), "--out", str(folder / "full.csv")]
    commands["votes and battles in full, csv"] = [*manage, "export_votes", "large", *whole]
    commands["bundle"] = [*manage, "export_bundle", str(snapshot), "--out", str(folder / "bundle.zip")]
    return commands


def rebuilt(product: Product, folder: Path) -> tuple[float, float]:
    """Runs the bundle's own command where it was unpacked; fails unless it gives the published bytes."""
    with zipfile.ZipFile(folder / "bundle.zip") as packed:
        packed.extractall(folder / "bundle")
    (place,) = (folder / "bundle").iterdir()
    python, *rest = shlex.split(json.loads((place / "settings.json").read_text())["command"])
    assert python == "python"
    found = measured([sys.executable, *rest], {**product.env, "PYTHONPATH": str(ROOT)}, place)
    if (place / "rebuilt.csv").read_bytes() != (place / "leaderboard.csv").read_bytes():
        raise AssertionError("the bundle gave another board than the published one")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small arenas: does everything run?")
    options = parser.parse_args()
    sizes = tuple(size // 100 for size in SIZES) if options.quick else SIZES
    table: dict[str, list[str]] = {}
    for votes in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            product = Product(folder / "var")
            product.prepare()
            snapshot: Any = product.script("grow", module="export_bench", votes=votes, voters=max(20, votes // 50))
            for what, command in exports(product, snapshot, folder).items():
                seconds, peak = measured(command, product.env, ROOT)
                table.setdefault(what, []).append(f"{seconds:.1f} s, {peak:.0f} MB")
            seconds, peak = rebuilt(product, folder)
            table.setdefault("the board from the bundle, the same bytes", []).append(f"{seconds:.1f} s, {peak:.0f} MB")
    print("| export | " + " | ".join(f"{votes:,} votes" for votes in sizes) + " |\n|" + "---|" * (1 + len(sizes)))
    for what, cells in table.items():
        print(f"| {what} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
