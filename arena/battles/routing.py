"""Addresses of sockets."""

from django.urls import path

from arena.battles.consumers import TurnConsumer

websocket_urlpatterns = [path("ws/battles/<uuid:battle_id>/<int:index>/", TurnConsumer.as_asgi())]
