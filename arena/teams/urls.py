from django.urls import path

from arena.teams.views import account, joining, people, profile, setting_up, tokens

app_name = "teams"
urlpatterns = [
    path("join/<str:token>/", joining.join, name="join"),
    path("setup/<str:token>/", setting_up.setup, name="setup"),
    path("a/<slug:slug>/people/", people.people, name="people"),
    path("a/<slug:slug>/people/invitations/", people.invite, name="invite"),
    path("a/<slug:slug>/people/invitations/<int:invitation_id>/revoke/", people.revoke, name="revoke"),
    path("a/<slug:slug>/people/<int:member_id>/", people.change, name="change_member"),
    path("a/<slug:slug>/people/<int:member_id>/end/", people.end, name="end_member"),
    path("a/<slug:slug>/mine/profile/", profile.profile, name="profile"),
    path("a/<slug:slug>/people/tokens/<int:token_id>/revoke/", tokens.revoke_in_arena, name="revoke_token_in_arena"),
    path("accounts/tokens/", tokens.tokens, name="tokens"),
    path("accounts/tokens/<int:token_id>/revoke/", tokens.revoke, name="revoke_token"),
    path("accounts/", account.account, name="account"),
]
