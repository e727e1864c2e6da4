from django.urls import path, re_path

from arena.leaderboards import views

app_name = "leaderboards"
urlpatterns = [
    path("a/<slug:slug>/leaderboard/", views.board, name="board"),
    path("a/<slug:slug>/leaderboard.csv", views.board_csv, name="csv"),
    path("a/<slug:slug>/leaderboard.json", views.board_json, name="json"),
    path("a/<slug:slug>/leaderboard/pairs.csv", views.chart, {"name": "pairs", "kind": "csv"}, name="pairs"),
    re_path(
        r"^a/(?P<slug>[-\w]+)/leaderboard/(?P<name>matrix|intervals)\.(?P<kind>svg|csv)$", views.chart, name="chart"
    ),
]
