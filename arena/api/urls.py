from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from arena.api import exports, importing, rooms, views

app_name = "api"
_battle = "v1/arenas/<slug:slug>/battles/<uuid:battle_id>/"
urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("v1/arenas/", views.Arenas.as_view(), name="arenas"),
    path("v1/arenas/<slug:slug>/", views.ArenaDetail.as_view(), name="arena"),
    path("v1/arenas/<slug:slug>/competitors/", views.Competitors.as_view(), name="competitors"),
    path("v1/arenas/<slug:slug>/leaderboard/", views.Leaderboard.as_view(), name="leaderboard"),
    path("v1/arenas/<slug:slug>/compare/", rooms.Compare.as_view(), name="compare"),
    path("v1/arenas/<slug:slug>/integrity/", rooms.Integrity.as_view(), name="integrity"),
    path("v1/arenas/<slug:slug>/votes/", exports.Votes.as_view(), name="votes"),
    path("v1/arenas/<slug:slug>/bundle/", exports.Bundle.as_view(), name="bundle"),
    path("v1/arenas/<slug:slug>/prompt-sets/", importing.PromptSets.as_view(), name="prompt_sets"),
    path("v1/arenas/<slug:slug>/answers/", importing.Answers.as_view(), name="answers"),
    path("v1/arenas/<slug:slug>/battles/", views.Battles.as_view(), name="battles"),
    path(_battle, views.BattleDetail.as_view(), name="battle"),
    path(f"{_battle}stream/", views.BattleStream.as_view(), name="stream"),
    path(f"{_battle}turns/", views.BattleTurns.as_view(), name="turns"),
    path(f"{_battle}vote/", views.BattleVote.as_view(), name="vote"),
    path(f"{_battle}reveal/", views.BattleReveal.as_view(), name="reveal"),
    path(f"{_battle}note/", views.BattleNote.as_view(), name="note"),
    path(f"{_battle}skip/", views.BattleSkip.as_view(), name="skip"),
    path(f"{_battle}stop/", views.BattleStop.as_view(), name="stop"),
    path(f"{_battle}redraw/", views.BattleRedraw.as_view(), name="redraw"),
]
