from django.urls import path, re_path, register_converter
from django.urls.converters import StringConverter

from arena.leaderboards.views import agreement, board, compare, competitor, downloads, exports, integrity


class LabelConverter(StringConverter):
    """A competitor's label, whatever is in it: slashes, blanks, line ends."""

    regex = r"[\s\S]+"


register_converter(LabelConverter, "label")

app_name = "leaderboards"
urlpatterns = [
    path("a/<slug:slug>/leaderboard/", board.board, name="board"),
    path("a/<slug:slug>/leaderboard.csv", downloads.board_csv, name="csv"),
    path("a/<slug:slug>/leaderboard.json", downloads.board_json, name="json"),
    path("a/<slug:slug>/leaderboard.csv.json", exports.board_csv_json, name="csv_json"),
    path("a/<slug:slug>/leaderboard.zip", exports.bundle, name="bundle"),
    re_path(r"^a/(?P<slug>[-\w]+)/votes\.(?P<kind>csv|jsonl)$", exports.votes, name="votes"),
    path("a/<slug:slug>/leaderboard/pairs.csv", downloads.chart, {"name": "pairs", "kind": "csv"}, name="pairs"),
    re_path(
        r"^a/(?P<slug>[-\w]+)/leaderboard/(?P<name>matrix|intervals|cost)\.(?P<kind>svg|csv)$",
        downloads.chart,
        name="chart",
    ),
    path("a/<slug:slug>/compare/", compare.compare, name="compare"),
    path("a/<slug:slug>/integrity/", integrity.integrity, name="integrity"),
    path("a/<slug:slug>/integrity.json", integrity.integrity_json, name="integrity_json"),
    path("a/<slug:slug>/agreement/", agreement.agreement, name="agreement"),
    path("a/<slug:slug>/competitors/<label:name>/history.csv", competitor.history, {"kind": "csv"}, name="history_csv"),
    path("a/<slug:slug>/competitors/<label:name>/history.svg", competitor.history, {"kind": "svg"}, name="history_svg"),
    path("a/<slug:slug>/competitors/<label:name>/", competitor.competitor, name="competitor"),
]
