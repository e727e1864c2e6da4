"""The web process: pages and API over HTTP, frames over sockets, and what must happen at its start and end."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - consumers need the app registry

from arena.battles.routing import websocket_urlpatterns  # noqa: E402
from arena.handler import WarmHandler  # noqa: E402
from arena.lifespan import Lifespan  # noqa: E402
from arena.origins import SameOrigin  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": WarmHandler(),
        "websocket": SameOrigin(URLRouter(websocket_urlpatterns)),
        "lifespan": Lifespan(),
    }
)
