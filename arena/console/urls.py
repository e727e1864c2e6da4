from django.urls import path

from arena.console.views import arena, arenas, competitors, endpoints, freshness, mine, review, votes, webhooks

app_name = "console"
urlpatterns = [
    path("console/", arenas.index, name="index"),
    path("console/new/", arenas.new, name="new"),
    path("console/endpoints/", endpoints.endpoints, name="endpoints"),
    path("console/endpoints/add/", endpoints.add_endpoint, name="add_endpoint"),
    path("console/endpoints/<int:endpoint_id>/", endpoints.endpoint, name="endpoint"),
    path("console/endpoints/<int:endpoint_id>/try/", endpoints.try_endpoint, name="try_endpoint"),
    path("console/endpoints/<int:endpoint_id>/models/", endpoints.look_up_models, name="look_up_models"),
    path("console/endpoints/<int:endpoint_id>/back/", endpoints.put_back, name="put_back"),
    path("console/<slug:slug>/", arena.overview, name="overview"),
    path("console/<slug:slug>/settings/", arena.settings, name="settings"),
    path("console/<slug:slug>/state/", arena.change_state, name="state"),
    path("console/<slug:slug>/competitors/", competitors.competitors, name="competitors"),
    path("console/<slug:slug>/competitors/add/", competitors.add, name="add_competitor"),
    path("console/<slug:slug>/competitors/local/", competitors.add_local, name="add_local"),
    path("console/<slug:slug>/competitors/<int:competitor_id>/", competitors.competitor, name="competitor"),
    path("console/<slug:slug>/competitors/<int:competitor_id>/service/", competitors.change_service, name="service"),
    path("console/<slug:slug>/competitors/<int:competitor_id>/try/", competitors.try_competitor, name="try_competitor"),
    path("console/<slug:slug>/webhooks/", webhooks.webhooks, name="webhooks"),
    path("console/<slug:slug>/webhooks/<int:webhook_id>/try/", webhooks.try_webhook, name="try_webhook"),
    path("console/<slug:slug>/webhooks/<int:webhook_id>/withdraw/", webhooks.withdraw, name="withdraw_webhook"),
    path("console/<slug:slug>/votes/", votes.votes, name="votes"),
    path("console/<slug:slug>/integrity/", review.review, name="review"),
    path("console/<slug:slug>/integrity/decide/", review.decide, name="decide"),
    path("console/<slug:slug>/freshness/", freshness.freshness, name="freshness"),
    path("console/<slug:slug>/freshness.csv", freshness.freshness_csv, name="freshness_csv"),
    path("console/<slug:slug>/votes-a-day.csv", votes.daily, {"kind": "csv"}, name="daily_csv"),
    path("console/<slug:slug>/votes-a-day.svg", votes.daily, {"kind": "svg"}, name="daily_svg"),
    path("a/<slug:slug>/mine/", mine.mine, name="mine"),
    path("a/<slug:slug>/mine.csv", mine.mine_csv, name="mine_csv"),
    path("a/<slug:slug>/mine/forget/", mine.forget, name="forget"),
]
