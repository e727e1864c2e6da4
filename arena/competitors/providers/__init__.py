"""Providers take messages and yield text; they never see the ORM."""

from arena.competitors.providers.base import (
    Delta,
    EndpointAddress,
    ErrorCode,
    Finish,
    GenerationSettings,
    Message,
    Provider,
    ProviderError,
    Timeouts,
)
from arena.competitors.providers.cleaning import Cleaner, clean
from arena.competitors.providers.fake import ScriptedProvider
from arena.competitors.providers.listing import offered_models
from arena.competitors.providers.openai_compatible import OpenAICompatibleProvider, close_shared_clients

__all__ = [
    "Cleaner",
    "Delta",
    "EndpointAddress",
    "ErrorCode",
    "Finish",
    "GenerationSettings",
    "Message",
    "OpenAICompatibleProvider",
    "Provider",
    "ProviderError",
    "ScriptedProvider",
    "Timeouts",
    "clean",
    "close_shared_clients",
    "offered_models",
]
