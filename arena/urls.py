"""Addresses of the instance."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from arena.health import healthz
from arena.teams.views import organization
from arena.teams.views.door import home

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one door, with its locks

urlpatterns = [
    path("", home, name="home"),
    path("healthz", healthz, name="healthz"),
    path("language/", set_language, name="set_language"),
    path("", include("arena.teams.urls")),
    path("", include("arena.console.urls")),
    path("", include("arena.battles.urls")),
    path("", include("arena.leaderboards.urls")),
    path("console/", include("arena.prompts.urls")),
    path("api/", include("arena.api.urls")),
    # Before the account library's own, and by its names: it leaves an organization that is down to be a 500.
    path("accounts/oidc/<slug:provider_id>/login/", organization.sign_in, name="openid_connect_login"),
    path("accounts/oidc/<slug:provider_id>/login/callback/", organization.callback, name="openid_connect_callback"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
handler500 = "arena.teams.views.door.failed"
handler404 = "arena.teams.views.door.not_found"
