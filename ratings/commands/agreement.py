"""`agreement VOTES`: how far voters agree with each other and with themselves."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

import numpy as np

from ratings.agreement import Agreement, measure_agreement
from ratings.board import NO_VOTES
from ratings.commands.common import Commands, as_json, command, out, share, whole
from ratings.data import Ints
from ratings.outputs import Output, to
from ratings.votefile import VoteFile

PROMPT = "prompt_id"
WHY = {
    "ok": "", "no_votes": NO_VOTES, "no_voters": "The votes carry no voters, so nothing can agree.",
    "no_shared_items": "No item was judged by two voters.", "one_label": "All shared votes say the same.",
}  # fmt: skip


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Tells the parser."""
    parser = command(commands, "agreement", run, "how far voters agree with each other and themselves", wanted=[PROMPT])
    out(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object, with disputed items and voters")
    parser.add_argument("--rounds", type=whole, default=1000, metavar="1000", help="bootstrap replicates over items")
    parser.add_argument("--level", type=share, default=0.95, metavar="0.95", help="of the intervals, between 0 and 1")
    parser.add_argument("--seed", type=whole, default=0, metavar="0", help="the same seed gives the same bytes")


def run(file: VoteFile, options: argparse.Namespace) -> Output:
    """The figures in a few lines, or as JSON with names for codes."""
    data = file.comparisons()
    found = measure_agreement(data, _prompts(file), rounds=options.rounds, seed=options.seed, level=options.level)
    return to(as_json(_named(found, file)) if options.json else _said(found), options.out)


def _prompts(file: VoteFile) -> Ints | None:
    """Codes of the prompts; a vote without one shares its item with nobody."""
    if PROMPT not in file.texts:
        return None
    codes = file.texts[PROMPT].codes.astype(np.int64)
    blank = np.flatnonzero(codes < 0)
    codes[blank] = len(file.texts[PROMPT].values) + np.arange(blank.size)
    return None if blank.size == codes.size else codes


def _named(found: Agreement, file: VoteFile) -> dict[str, Any]:
    """The result with voters and prompts by name."""
    body = asdict(found)
    values = file.texts[PROMPT].values if PROMPT in file.texts else ()
    for item in body["disputed"]:
        code = item["prompt"]
        item["prompt"] = values[code] if code is not None and code < len(values) else None
    for pair in body["pairs"]:
        pair["first"], pair["second"] = file.voters[pair["first"]], file.voters[pair["second"]]
    for voter in body["attention"]:
        voter["voter"] = file.voters[voter["voter"]]
    del body["experts"]
    return {**body, "notes": list(file.notes)}


def _said(found: Agreement) -> str:
    if found.status != "ok" and found.alpha is None:
        return f"{WHY[found.status]}\n"
    item = "pairs of competitors" if found.unit == "pair" else "pairs on a prompt"
    lines = [
        f"Krippendorff's alpha {_figure(found.alpha)}{_bounds(found.alpha_lower, found.alpha_upper)}, "
        f"Fleiss' kappa {_figure(found.kappa)}; two voters give one answer in {_share(found.agreement)} of cases.",
        f"{found.items:,} items ({item}) that at least two of {found.voters:,} voters judged, {found.votes:,} votes.",
    ]
    again = found.consistency.flipped
    if again.repeats:
        lines.append(f"Shown again with sides turned, {_share(again.share)} of {again.repeats:,} votes were the same.")
    if found.side_bias is not None:
        bias = found.side_bias
        lines.append(f"Of decided votes {_share(bias.share_a)} chose side a{_bounds(bias.lower, bias.upper)}.")
    return "".join(f"{line}\n" for line in lines)


def _figure(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"


def _share(value: float | None) -> str:
    return "an unknown share" if value is None else f"{100 * value:.1f} %"


def _bounds(lower: float | None, upper: float | None) -> str:
    return "" if lower is None or upper is None else f" ({lower:.4f} to {upper:.4f})"
