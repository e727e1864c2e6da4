"""Which language a text is in, told by py3langid's model of 97 languages."""

from __future__ import annotations

from functools import cache
from typing import Any

SHORTEST = 24
"""Letters that a text needs; of less nobody can say."""
SURE = 0.9


@cache
def _model() -> Any:
    """Half a second to load, and numpy with it: the worker's business, never a page's."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def known() -> frozenset[str]:
    """Two-letter codes."""
    return frozenset(str(label) for label in _model().labels)


def language_of(text: str) -> str | None:
    """The language's code, or None where the text is too short or the model is not sure."""
    if sum(character.isalpha() for character in text) < SHORTEST:
        return None
    code, probability = _model().classify(text)
    return str(code) if probability >= SURE else None
