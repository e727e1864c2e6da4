from django.urls import path, re_path

from arena.leaderboards.views import board, downloads

app_name = "leaderboards"
urlpatterns = [
    path("a/<slug:slug>/leaderboard/", board.board, name="board"),
    path("a/<slug:slug>/leaderboard.csv", downloads.board_csv, name="csv"),
    path("a/<slug:slug>/leaderboard.json", downloads.board_json, name="json"),
    path("a/<slug:slug>/leaderboard/pairs.csv", downloads.chart, {"name": "pairs", "kind": "csv"}, name="pairs"),
    re_path(
        r"^a/(?P<slug>[-\w]+)/leaderboard/(?P<name>matrix|intervals)\.(?P<kind>svg|csv)$", downloads.chart, name="chart"
    ),
]
