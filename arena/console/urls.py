from django.urls import path

from arena.console.views import arena, arenas, mine, review, votes

app_name = "console"
urlpatterns = [
    path("console/", arenas.index, name="index"),
    path("console/new/", arenas.new, name="new"),
    path("console/<slug:slug>/", arena.overview, name="overview"),
    path("console/<slug:slug>/settings/", arena.settings, name="settings"),
    path("console/<slug:slug>/state/", arena.change_state, name="state"),
    path("console/<slug:slug>/votes/", votes.votes, name="votes"),
    path("console/<slug:slug>/integrity/", review.review, name="review"),
    path("console/<slug:slug>/integrity/decide/", review.decide, name="decide"),
    path("console/<slug:slug>/votes-a-day.csv", votes.daily, {"kind": "csv"}, name="daily_csv"),
    path("console/<slug:slug>/votes-a-day.svg", votes.daily, {"kind": "svg"}, name="daily_svg"),
    path("a/<slug:slug>/mine/", mine.mine, name="mine"),
    path("a/<slug:slug>/mine.csv", mine.mine_csv, name="mine_csv"),
    path("a/<slug:slug>/mine/forget/", mine.forget, name="forget"),
]
