"""Text as it reads, not as it is encoded: for looking for words that somebody may have disguised."""

from __future__ import annotations

import re
import unicodedata

_LOOK = {
    # Cyrillic
    "аӓ": "a", "в": "b", "с": "c", "ԁ": "d", "еёє": "e", "һн": "h", "ії": "i", "ј": "j", "к": "k", "ӏ": "l", "м": "m",
    "о": "o", "р": "p", "ԛ": "q", "ѕ": "s", "т": "t", "ԝ": "w", "х": "x", "у": "y", "ѵ": "v", "г": "r", "п": "n",
    "АӐ": "A", "В": "B", "С": "C", "ЕЁ": "E", "Н": "H", "ІЇ": "I", "Ј": "J", "К": "K", "М": "M", "О": "O", "Р": "P",
    "Ѕ": "S", "Т": "T", "Х": "X", "У": "Y", "Ԍ": "G", "Ӏ": "l",
    # Greek
    "α": "a", "ε": "e", "ι": "i", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "τ": "t", "υ": "u", "χ": "x", "γ": "y",
    "ω": "w", "η": "n", "ϲ": "c", "ϳ": "j", "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K",
    "Μ": "M", "Ν": "N", "Ο": "O", "Ρ": "P", "Τ": "T", "Υ": "Y", "Χ": "X",
    # Armenian, Cherokee, Lisu
    "օ": "o", "ո": "n", "ս": "u", "հ": "h", "ց": "g", "զ": "q", "Ꭺ": "A", "Ꭼ": "E", "Ꮯ": "C", "Ꮮ": "L", "Ꮇ": "M",
    "Ꮲ": "P", "Ꭱ": "R", "Ꭲ": "T", "Ꮪ": "S", "Ꮩ": "V", "Ꮤ": "W", "Ꮓ": "Z", "Ꮐ": "G", "Ꭰ": "D", "Ꮋ": "H", "Ꭻ": "J",
    "ꓮ": "A", "ꓐ": "B", "ꓚ": "C", "ꓓ": "D", "ꓰ": "E", "ꓖ": "G", "ꓧ": "H", "ꓲ": "I", "ꓙ": "J", "ꓗ": "K", "ꓡ": "L",
    "ꓟ": "M", "ꓠ": "N", "ꓳ": "O", "ꓑ": "P", "ꓣ": "R", "ꓢ": "S", "ꓔ": "T", "ꓴ": "U", "ꓦ": "V", "ꓪ": "W", "ꓫ": "X",
    # Latin letters that no decomposition leads back to the plain ones
    "ıɩɪ": "i", "ɑᴀ": "a", "ɡɢ": "g", "ʙ": "b", "ᴄ": "c", "ᴅđ": "d", "ᴇ": "e", "ʜ": "h", "ᴊ": "j", "ᴋ": "k", "ʟłꞁ": "l",
    "ᴍ": "m", "ɴ": "n", "ᴏø": "o", "ᴘ": "p", "ʀ": "r", "ꜱ": "s", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ʏ": "y",
    "ᴢ": "z", "Ł": "L", "Ø": "O", "Đ": "D", "ß": "ss", "ẞ": "SS", "æ": "ae", "œ": "oe", "Æ": "Ae", "Œ": "Oe",
    # marks
    "’‘ʼʹ`´′＇": "'", "‐‑‒–—―−": "-", "\u2800\u3164\u115f\u1160": "",
}  # fmt: skip
_TABLE = {ord(char): plain for chars, plain in _LOOK.items() for char in chars}
for _first in (0x1F150, 0x1F170, 0x1F1E6):  # letters in filled circles, in filled squares, and of flags
    _TABLE |= {_first + place: chr(ord("A") + place) for place in range(26)}
_DROPPED = ("Mn", "Me", "Cf")
_SPELLED = re.compile(r"(?<![\w'])[A-Za-z]([ .·_-])(?:[A-Za-z]\1)+[A-Za-z](?!\w)")
_LEET = str.maketrans("0134$@", "oleasa")
_DISGUISED = re.compile(r"(?<![^\W_])(?=\w*[A-Za-z])(?=\w*[0134$@])[\w$@]{3,}")


def fold(text: str) -> str:
    """Compatibility forms, invisible characters, accents and look-alikes undone; case stays.

    Letters of other scripts that look like Latin ones become those, so text in such a script is not readable after it.
    """
    if text.isascii():
        return _joined(text)
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text.translate(_TABLE)))
    kept = "".join(char for char in text if unicodedata.category(char) not in _DROPPED)
    return _joined(kept.translate(_TABLE))


def without_digits_for_letters(folded: str) -> str:
    """`Cl4ude` as `Claude`: words in which digits stand between letters."""
    return _DISGUISED.sub(lambda found: found[0].translate(_LEET), folded)


def _joined(text: str) -> str:
    """`C l a u d e` and `C-l-a-u-d-e` in one word."""
    return _SPELLED.sub(lambda found: re.sub(r"[ .·_-]", "", found[0]), text)
