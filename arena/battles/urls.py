from django.urls import path

from arena.battles.views import pages

app_name = "battles"
urlpatterns = [
    path("a/<slug:slug>/", pages.vote_page, name="vote_page"),
    path("a/<slug:slug>/battles/", pages.open_battle, name="open"),
    path("a/<slug:slug>/challenge/", pages.challenge, name="challenge"),
    path("a/<slug:slug>/battles/<uuid:battle_id>/follow-up/", pages.follow_up, name="follow_up"),
    path("a/<slug:slug>/battles/<uuid:battle_id>/vote/", pages.vote, name="vote"),
    path("a/<slug:slug>/battles/<uuid:battle_id>/skip/", pages.skip, name="skip"),
    path("a/<slug:slug>/battles/<uuid:battle_id>/stop/", pages.stop, name="stop"),
    path("a/<slug:slug>/battles/<uuid:battle_id>/redraw/", pages.redraw, name="redraw"),
    path("a/<slug:slug>/battles/<uuid:battle_id>/note/", pages.note, name="note"),
]
