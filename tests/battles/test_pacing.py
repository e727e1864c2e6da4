"""Time tells nothing: paced streams show text side by side, at instants that do not depend on the writer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battles.pacing import TICK, Pacer, Release
from arena.battles.words import Side

MODELS = 20
BATTLES = 3000
PACE = 80.0
CHARS_A_TOKEN = 4


def show(
    writings: dict[Side, list[tuple[float, str]]], *, rate: float, limit: int = 20_000
) -> list[tuple[float, Release]]:
    """Plays timed writing through a pacer in virtual time; each side ends with its last piece."""
    pacer, shown = Pacer(rate), []
    queues = {side: list(pieces) for side, pieces in writings.items()}
    for number in range(1, limit):
        at = number * TICK
        for side, queue in queues.items():
            while queue and queue[0][0] <= at:
                pacer.feed(side, queue.pop(0)[1])
            if not queue:
                pacer.finish(side)
        release = pacer.tick(number)
        if release is not None:
            shown.append((at, release))
            if release.last:
                return shown
    raise AssertionError("the stream never ended")


pieces = st.lists(st.tuples(st.floats(0, 4), st.text(min_size=1, max_size=60)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(a=pieces, b=pieces, rate=st.sampled_from([10, 33, 200, 2000]))
def test_the_text_is_exact_and_both_sides_end_together(
    a: list[tuple[float, str]], b: list[tuple[float, str]], rate: int
) -> None:
    writings = {Side.A: sorted(a, key=lambda p: p[0]), Side.B: sorted(b, key=lambda p: p[0])}
    shown = [release for _, release in show(writings, rate=rate)]
    assert "".join(r.a for r in shown) == "".join(text for _, text in writings[Side.A])
    assert "".join(r.b for r in shown) == "".join(text for _, text in writings[Side.B])
    assert [r.last for r in shown] == [False] * (len(shown) - 1) + [True]


def test_both_sides_start_in_the_same_frame() -> None:
    fast = [(0.1 * n, "word " * 4) for n in range(40)]
    slow = [(2.0 + 0.2 * n, "word " * 4) for n in range(40)]
    _, first = show({Side.A: fast, Side.B: slow}, rate=PACE)[0]
    assert len(first.a) == len(first.b) == 8


def test_a_side_that_runs_dry_pauses_both() -> None:
    halting = [(0.1, "x" * 400), (20.0, "y" * 400)]
    steady = [(0.1, "z" * 1200)]
    shown = show({Side.A: halting, Side.B: steady}, rate=PACE)
    assert not [at for at, _ in shown if 9.5 < at < 19.9]
    running = [release for _, release in shown if release.a]
    assert all(len(release.a) == len(release.b) for release in running[:-1])


def writing(rng: np.random.Generator, model: int, tokens: int, *, slowest: float = 25.0) -> list[tuple[float, str]]:
    """One answer: speeds from `slowest` to 220 tokens a second, first tokens from .9 to .15 s, with jitter."""
    speed = slowest * (220 / slowest) ** (model / (MODELS - 1)) * np.exp(rng.normal(0, 0.03))
    first = 0.9 * (0.15 / 0.9) ** (model / (MODELS - 1)) * np.exp(rng.normal(0, 0.1))
    gaps = rng.exponential(1 / speed, tokens) * 0.3 + 0.7 / speed
    return [(first + at, "abc ") for at in np.cumsum(gaps)]


def raw_features(times: np.ndarray, sizes: np.ndarray) -> list[float]:
    """What a watcher can time of one side: start, duration, speed, the largest pause, all in logs."""
    total = sizes.sum()
    gaps = np.diff(times) if times.size > 1 else np.array([1.0])
    duration = max(times[-1] - times[0], 0.05)
    return [np.log(times[0]), np.log(duration), np.log(total / duration), np.log(gaps.max() + 0.01), np.log(total)]


def accuracy(features: np.ndarray, labels: np.ndarray) -> float:
    """A classifier of the models: quadratic discriminant analysis, trained on one half, tested on the other."""
    half = len(labels) // 2
    train, test = features[:half], features[half:]
    mean, spread = train.mean(axis=0), train.std(axis=0) + 1e-9
    train, test = (train - mean) / spread, (test - mean) / spread
    scores = []
    for model in range(MODELS):
        own = train[labels[:half] == model]
        covariance = np.cov(own, rowvar=False) + 0.05 * np.eye(own.shape[1])
        centred = test - own.mean(axis=0)
        distance = (centred @ np.linalg.inv(covariance) * centred).sum(axis=1)
        scores.append(-distance / 2 - np.linalg.slogdet(covariance)[1] / 2)
    return float((np.argmax(scores, axis=0) == labels[half:]).mean())


def watch(seed: int, *, paced: bool, slowest: float = 25.0) -> float:
    """How often a watcher of frame times, who knows both texts' lengths, names side a's model."""
    rng = np.random.default_rng(seed)
    features, labels = [], []
    for _ in range(BATTLES):
        models = rng.integers(0, MODELS, 2)
        sides = {
            side: writing(rng, int(model), int(rng.integers(60, 240)), slowest=slowest)
            for side, model in zip(Side, models, strict=True)
        }
        other = float(len(sides[Side.B]) * CHARS_A_TOKEN)
        if paced:
            frames = [(at, len(release.a)) for at, release in show(sides, rate=PACE)]
        else:
            frames = [(at, len(text)) for at, text in sides[Side.A]]
        times, sizes = (np.array(column, dtype=float) for column in zip(*[f for f in frames if f[1]], strict=True))
        end = frames[-1][0]
        features.append([*raw_features(times, sizes), np.log(other), np.log(end)])
        labels.append(int(models[0]))
    return accuracy(np.array(features), np.array(labels))


def test_frame_times_name_no_model_in_paced_mode() -> None:
    """20 models that differ in speed only, 25 to 220 tokens a second, all faster than the pace of 20 tokens a second.

    Chance is 5 %; with 1,500 tested battles one standard error is .56 %, so that the bound is 6.7 %.
    """
    chance = 1 / MODELS
    bound = chance + 3 * np.sqrt(chance * (1 - chance) / (BATTLES / 2))
    found = watch(20, paced=True)
    print(f"paced: {found:.3f} (bound {bound:.3f})")
    assert found <= bound


def test_the_same_classifier_names_models_on_raw_streams() -> None:
    """So that the test above can fail."""
    found = watch(21, paced=False)
    print(f"raw: {found:.3f}")
    assert found >= 0.35


@pytest.mark.parametrize("wanted", [0, 1, 7, 1000])
def test_taking_text_never_loses_a_character(wanted: int) -> None:
    from arena.battles.pacing import _Hand

    hand = _Hand()
    for piece in ("abc", "", "defgh", "i"):
        hand.pieces.append(piece)
        hand.size += len(piece)
    first = hand.take(wanted)
    assert first + hand.take(10_000) == "abcdefghi"
    assert len(first) == min(wanted, 9)
