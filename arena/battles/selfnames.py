"""Makers and models that answers are searched for, in folded text; and the names that an arena brings itself."""

# ruff: noqa: E501 - patterns read better whole
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from arena.battles.folding import fold

_SIZES = r"(?:[ -]?(?:\d{1,3}(?:\.\d{1,2})?[bmk]?|turbo|mini|nano|micro|pro|ultra|flash|large|medium|small|plus|max|chat|instruct|coder|preview|instant|opus|sonnet|haiku|nemo|scout|maverick|thinking|v\d|r\d|o\b))*"
STRONG = (
    rf"chat ?gpts?{_SIZES}|gpt[- ]?(?:[2-9]o?(?:\.\d)?|neo[x]?|oss|j){_SIZES}|claude[- ](?:\d|v\d|instant|opus|sonnet|haiku){_SIZES}|"
    rf"gemini[- ](?:\d|pro|ultra|flash|nano|advanced){_SIZES}|llama[- ]?\d{_SIZES}|meta[- ]llama{_SIZES}|code ?llama|tiny ?llama|"
    rf"mistral[- ](?:\d+b|large|medium|small|nemo|7){_SIZES}|mixtral{_SIZES}|ministral|codestral|pixtral|magistral|"
    rf"deep ?seek{_SIZES}|qwen{_SIZES}|qwq|tongyi(?: qianwen)?|smollm{_SIZES}|grok[- ]?\d{_SIZES}|gemma[- ]?\d{_SIZES}|"
    rf"phi[- ]?\d{_SIZES}|yi[- ]\d+b|chatglm{_SIZES}|glm[- ]?\d{_SIZES}|ernie bot|internlm{_SIZES}|baichuan{_SIZES}|hunyuan|"
    rf"doubao|bing chat|microsoft copilot|github copilot|google bard|google assistant|google gemini|palm[- ]?2|lamda|starcoder|"
    rf"wizardlm|olmo{_SIZES}|nemotron{_SIZES}|jamba|jurassic[- ]?\d|command[- ]r\+?|stablelm|openchat|exaone|hyperclova(?: x)?|"
    rf"falcon[- ]?\d+b?|mpt[- ]?\d+b|luminous|teuken|pharia|open ?assistant|gigachat|yandexgpt|eurollm|apertus|salamandra"
)  # fmt: skip
AMBIGUOUS = r"claude|gemini|llama|mistral|grok|le chat"
"""Also a person, an animal, a wind."""
WEAK = (
    r"gemma|bard|falcon|vicuna|alpaca|orca|phi|nova|titan|granite|command|bloom|zephyr|hermes|solar|aya|copilot|kimi|ernie|"
    r"dolly|tulu|sonnet|haiku|opus|o[134](?:[- ](?:mini|preview|pro))?|siri|alexa|cortana|replika|perplexity|minimax|jasper"
)
"""Words so ordinary that they count only where the answer speaks of itself as a machine."""
MAKERS = (
    r"open ?ai|anthropic|google(?: deepmind| ai| research| brain)?|deepmind|meta(?: ai| platforms)?|facebook(?: ai)?|"
    r"microsoft|mistral ai|x\.?ai|cohere|amazon(?: web services)?|aws|apple|alibaba(?: cloud)?|deep ?seek(?: ai)?|"
    r"baidu|tencent|bytedance|zhipu(?: ai)?|moonshot(?: ai)?|01\.ai|minimax|stability ai|hugging ?face|eleuther ?ai|"
    r"(?:the )?allen institute(?: for (?:ai|artificial intelligence))?|allenai|ai2|nvidia|ibm|databricks|ai21(?: labs)?|"
    r"inflection(?: ai)?|perplexity(?: ai)?|aleph alpha|(?:the )?technology innovation institute|tii|salesforce|samsung|"
    r"lg ai research|naver|upstage|nous ?research|reka(?: ai)?|sber(?:bank)?|yandex|lmsys|bigscience|mosaic ?ml|"
    r"character\.?ai|liquid ai|snowflake|sakana ai|kakao|huawei|xiaomi|swiss ai"
)


@dataclass(frozen=True, slots=True)
class Names:
    """What an arena's own competitors and their makers are called, as patterns over folded text."""

    models: str = ""
    makers: str = ""


def own_names(competitors: Iterable[tuple[str, str, str]]) -> Names:
    """From (name, model id, organization) of an arena's competitors; each also by what it is commonly cut down to."""
    models, makers = set[str](), set[str]()
    for name, model_id, organization in competitors:
        models |= {_pattern(alias) for alias in (name, *_aliases(model_id)) if _speaks(alias)}
        makers |= {_pattern(organization)} if _speaks(organization) else set()
    return Names(_any(models), _any(makers))


def _aliases(model_id: str) -> Iterable[str]:
    """`maker/smollm2-135m-instruct:q4` → the whole last part, and each beginning of it that could be a name."""
    last = re.split(r"[:@]", model_id.rsplit("/", 1)[-1])[0]
    words = re.split(r"[-_ ]+", last)
    for count in range(1, len(words) + 1):
        beginning = " ".join(words[:count])
        if count > 1 or re.search(r"\d", beginning):  # "command" of command-r alone is a word, not a name
            yield beginning


def _speaks(name: str) -> bool:
    return len(re.sub(r"[\W_]", "", fold(name))) >= 3


def _pattern(name: str) -> str:
    return r"[\s._-]*".join(re.escape(word) for word in re.findall(r"[^\W_]+|\+", fold(name)))


def _any(patterns: set[str]) -> str:
    return "|".join(sorted(patterns, key=lambda text: (-len(text), text)))
