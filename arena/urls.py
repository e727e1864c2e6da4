"""Addresses of the instance."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from arena.health import healthz
from arena.teams.views import home

urlpatterns = [
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    path("language/", set_language, name="set_language"),
    path("", include("arena.battles.urls")),
    path("", include("arena.leaderboards.urls")),
    path("api/", include("arena.api.urls")),
    path("admin/", admin.site.urls),
]
handler500 = "arena.teams.views.failed"
handler404 = "arena.teams.views.not_found"
