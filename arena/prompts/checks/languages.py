"""Which language a text is in, told by py3langid's model of 139 languages."""

from __future__ import annotations

from functools import cache
from typing import Any

SHORTEST = 24
"""Letters that a text needs; of less nobody can say."""
SURE = 0.9
_CODES = """
    ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu ext fa fi fo fr fuv
    fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is it ja jv ka kab kik kk km kn ko ku ky
    la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru rw sa sdh
    se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo yue zh zu
"""
CODES = frozenset(_CODES.split())
"""What the model tells apart, written down: a page that takes a code need not load the model."""


@cache
def _model() -> Any:
    """Half a second to load, and numpy with it: the worker's business, never a page's."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language_of(text: str) -> str | None:
    """The language's code, or None where the text is too short or the model is not sure."""
    if sum(character.isalpha() for character in text) < SHORTEST:
        return None
    code, probability = _model().classify(text)
    return str(code) if probability >= SURE else None
