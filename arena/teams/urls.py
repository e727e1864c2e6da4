from django.urls import path

from arena.teams.views import account, joining, setting_up

app_name = "teams"
urlpatterns = [
    path("join/<str:token>/", joining.join, name="join"),
    path("setup/<str:token>/", setting_up.setup, name="setup"),
    path("accounts/", account.account, name="account"),
]
