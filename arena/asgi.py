"""The web process: pages and API over HTTP, frames over sockets, and what must happen at its start and end."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
http_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402 - consumers need the app registry
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from arena.battles.routing import websocket_urlpatterns  # noqa: E402
from arena.lifespan import Lifespan  # noqa: E402
from arena.origins import SameOrigin  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
        "lifespan": Lifespan(),
    }
)
