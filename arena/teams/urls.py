from django.urls import path

from arena.teams.views import account, joining

app_name = "teams"
urlpatterns = [
    path("join/<str:token>/", joining.join, name="join"),
    path("accounts/", account.account, name="account"),
]
