"""Clean text out of raw deltas, the same for every provider, so that no quirk tells the voter who answers."""

from __future__ import annotations

import re

_THOUGHTS = {"<think>": "</think>", "<thinking>": "</thinking>"}
_MARKERS = (
    *_THOUGHTS,
    *_THOUGHTS.values(),
    "<|im_start|>assistant",
    "<|im_start|>",
    "<|im_end|>",
    "<|start_header_id|>assistant<|end_header_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<|assistant|>",
    "<|end_of_turn|>",
    "<|START_OF_TURN_TOKEN|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|CHATBOT_TOKEN|>",
    "<start_of_turn>model",
    "<start_of_turn>",
    "<end_of_turn>",
    "<\uff5cAssistant\uff5c>",
    "<\uff5cbegin\u2581of\u2581sentence\uff5c>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>",
    "<bos>",
    "<eos>",
    "<s>",
    "</s>",
)
_LONGEST_MARKER = max(map(len, _MARKERS))
# C0 and C1 controls but tab and line feed, zero-width space, byte order mark, and what reorders text.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\ufeff\u202a-\u202e\u2066-\u2069]")
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\ufeff\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SURROGATE_PAIR = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ROLE_ECHO = re.compile(r"assistant[ \t]{0,8}[:\n]", re.IGNORECASE | re.ASCII)
_MAYBE_ROLE_ECHO = re.compile(r"assistant[ \t]{0,8}\Z", re.IGNORECASE | re.ASCII)


class Cleaner:
    """One answer's text, cleaned as it arrives: however the deltas are cut, the results add up to the same text.

    Removed are invisible and reordering characters, tokens of chat templates, role echoes, thoughts, blanks at both
    ends, and all text past `max_chars`.
    """

    def __init__(self, *, max_chars: int = 32_000) -> None:
        self._characters = _Characters()
        self._templates = _Templates()
        self._beginning = _Beginning()
        self._blanks = ""
        self._room = max_chars

    @property
    def is_full(self) -> bool:
        """Whether the cap was reached, so that further deltas add nothing."""
        return self._room <= 0

    def feed(self, delta: str) -> str:
        """What this delta adds for sure; the rest waits for what follows it."""
        return self._push(delta, last=False)

    def finish(self) -> str:
        """What was held back and turned out to be text; a second call adds nothing."""
        return self._push("", last=True)

    def _push(self, delta: str, *, last: bool) -> str:
        text = self._characters.push(delta, last=last)
        text = self._templates.push(text, last=last)
        text = self._beginning.push(text, last=last)
        if not text or self._room <= 0:
            return ""
        solid = text.rstrip()
        if not solid:
            if len(self._blanks) < self._room:  # blanks past the room can never be shown
                self._blanks += text
            return ""
        ready, self._blanks = self._blanks + solid, text[len(solid) :]
        if len(ready) >= self._room:
            ready, self._room = ready[: self._room].rstrip(), 0
        self._room -= len(ready)
        return ready


def clean(text: str, *, max_chars: int = 32_000) -> str:
    """A whole text at once, as `Cleaner` would give it."""
    cleaner = Cleaner(max_chars=max_chars)
    return cleaner.feed(text) + cleaner.finish()


class _Characters:
    """Line ends become LF, surrogate pairs characters; what cannot or must not be seen goes."""

    def __init__(self) -> None:
        self._after_return = False
        self._high = ""

    def push(self, text: str, *, last: bool) -> str:
        if not self._after_return and not self._high and not _ODD.search(text):
            return text
        text, self._high = self._high + text, ""
        if not last and text and "\ud800" <= text[-1] <= "\udbff":
            text, self._high = text[:-1], text[-1]
        if not text:
            return ""
        after_return, self._after_return = self._after_return, text[-1] == "\r"
        if after_return and text[0] == "\n":
            text = text[1:]
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        text = _SURROGATE_PAIR.sub(_joined, text)
        return _SURROGATE.sub("", _UNSEEN.sub("", text))


def _joined(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")


class _Templates:
    """Tokens of chat templates go, and thoughts with all that they hold.

    A thought begins only where a line begins: in the middle of a line the word is what the answer is about. So is
    `</s>` after an `<s>`, which is HTML.
    """

    def __init__(self) -> None:
        self._pending = ""
        self._closer = ""
        self._line_is_blank = True
        self._seen = False
        self._struck = 0

    def push(self, text: str, *, last: bool) -> str:
        if not self._pending and not self._closer and "<" not in text:
            return self._out(text)
        pending, self._pending = self._pending + text, ""
        kept: list[str] = []
        at = 0
        while at < len(pending):
            if self._closer:
                at = self._skip_thought(pending, at, last=last)
                continue
            start = pending.find("<", at)
            if start < 0:
                kept.append(self._out(pending[at:]))
                break
            kept.append(self._out(pending[at:start]))
            window = pending[start : start + _LONGEST_MARKER]
            if not last and start + len(window) == len(pending) and _may_grow(window):
                self._pending = pending[start:]
                break
            marker = max((m for m in _MARKERS if window.startswith(m)), key=len, default="")
            kept.append(self._out(self._kept_of(marker) if marker else "<"))
            at = start + (len(marker) or 1)
        return "".join(kept)

    def _skip_thought(self, pending: str, at: int, *, last: bool) -> int:
        end = pending.find(self._closer, at)
        if end < 0:
            tail = max(at, len(pending) - len(self._closer) + 1)
            self._pending = "" if last else pending[tail:]
            return len(pending)
        end += len(self._closer)
        self._closer = ""
        return end

    def _kept_of(self, marker: str) -> str:
        """What of a marker is text after all."""
        if marker in _THOUGHTS:
            if not self._line_is_blank:
                return marker
            self._closer = _THOUGHTS[marker]
        elif marker == "<s>" and self._seen:
            self._struck += 1
            return marker
        elif marker == "</s>" and self._struck:
            self._struck -= 1
            return marker
        return ""

    def _out(self, text: str) -> str:
        if text:
            newline = text.rfind("\n")
            blank = not text[newline + 1 :].strip()
            self._line_is_blank = blank and (newline >= 0 or self._line_is_blank)
            self._seen = self._seen or not text.isspace()
        return text


def _may_grow(window: str) -> bool:
    return any(len(marker) > len(window) and marker.startswith(window) for marker in _MARKERS)


class _Beginning:
    """Blanks and echoes of the role at the beginning go."""

    def __init__(self) -> None:
        self._begun = False
        self._head = ""

    def push(self, text: str, *, last: bool) -> str:
        if self._begun:
            return text
        head = (self._head + text).lstrip()
        while echo := _ROLE_ECHO.match(head):
            head = head[echo.end() :].lstrip()
        maybe = bool(_MAYBE_ROLE_ECHO.match(head)) or "assistant".startswith(head[:10].lower())
        if not head or (maybe and not last):
            self._head = head
            return ""
        self._begun, self._head = True, ""
        return head
