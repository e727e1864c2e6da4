from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from arena.api import arenas, boards, exports, generation, hooks, importing, people, prompts, reviewing, rooms, views

app_name = "api"
_arena = "v1/arenas/<slug:slug>/"
_battle = f"{_arena}battles/<uuid:battle_id>/"
urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("v1/arenas/", arenas.Arenas.as_view(), name="arenas"),
    path(_arena, views.ArenaDetail.as_view(), name="arena"),
    path(f"{_arena}settings/", arenas.Settings.as_view(), name="settings"),
    path(f"{_arena}state/", arenas.State.as_view(), name="state"),
    path(f"{_arena}members/", people.Members.as_view(), name="members"),
    path(f"{_arena}members/<int:member_id>/", people.Member.as_view(), name="member"),
    path(f"{_arena}invitations/", people.Invitations.as_view(), name="invitations"),
    path(f"{_arena}invitations/<int:invitation_id>/", people.InvitationDetail.as_view(), name="invitation"),
    path(f"{_arena}runs/", generation.Runs.as_view(), name="runs"),
    path(f"{_arena}runs/<int:run_id>/", generation.RunDetail.as_view(), name="run"),
    path(f"{_arena}runs/<int:run_id>/stop/", generation.RunStop.as_view(), name="stop_run"),
    path(f"{_arena}webhooks/", hooks.Webhooks.as_view(), name="webhooks"),
    path(f"{_arena}webhooks/<int:webhook_id>/", hooks.WebhookDetail.as_view(), name="webhook"),
    path(f"{_arena}webhooks/<int:webhook_id>/try/", hooks.WebhookTrial.as_view(), name="try_webhook"),
    path(f"{_arena}matrix/", boards.Matrix.as_view(), name="matrix"),
    path(f"{_arena}snapshots/", boards.Snapshots.as_view(), name="snapshots"),
    path(f"{_arena}snapshots/<int:number>/", boards.SnapshotDetail.as_view(), name="snapshot"),
    path(f"{_arena}mine/", boards.Mine.as_view(), name="mine"),
    path(f"{_arena}competitors/", arenas.Competitors.as_view(), name="competitors"),
    path(f"{_arena}competitors/service/", arenas.Service.as_view(), name="service"),
    path(f"{_arena}leaderboard/", views.Leaderboard.as_view(), name="leaderboard"),
    path(f"{_arena}compare/", rooms.Compare.as_view(), name="compare"),
    path(f"{_arena}integrity/", rooms.Integrity.as_view(), name="integrity"),
    path(f"{_arena}votes/", exports.Votes.as_view(), name="votes"),
    path(f"{_arena}bundle/", exports.Bundle.as_view(), name="bundle"),
    path(f"{_arena}prompt-sets/", importing.PromptSets.as_view(), name="prompt_sets"),
    path(f"{_arena}prompt-sets/<int:set_id>/prompts/", prompts.Prompts.as_view(), name="prompts"),
    path(f"{_arena}prompts/<int:prompt_id>/", prompts.PromptDetail.as_view(), name="prompt"),
    path(f"{_arena}agreement/", reviewing.Agreement.as_view(), name="agreement"),
    path(f"{_arena}review/", reviewing.Review.as_view(), name="review"),
    path(f"{_arena}review/proposals/<int:proposal_id>/", reviewing.ProposalDecision.as_view(), name="decide"),
    path(f"{_arena}review/exclusions/<int:exclusion_id>/", reviewing.ExclusionClear.as_view(), name="clear"),
    path(f"{_arena}answers/", importing.Answers.as_view(), name="answers"),
    path(f"{_arena}battles/", views.Battles.as_view(), name="battles"),
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
