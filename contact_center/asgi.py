"""Socket entry point: only /ws/ is served here; pages come from the web process."""

import os
from typing import Any
from urllib.parse import urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contact_center.settings")
django.setup()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.conf import settings  # noqa: E402

from inbox.routing import websocket_urlpatterns  # noqa: E402


async def no_pages(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """200 at /healthz, 404 elsewhere."""
    is_health = scope["path"] == "/healthz"
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200 if is_health else 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok" if is_health else b"Only /ws/ is served here."})


def own_origin() -> bytes:
    """What a browser says as the origin of our pages."""
    parts = urlsplit(settings.PUBLIC_BASE_URL.lower())
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.netloc.removesuffix(f":{default}")
    return f"{parts.scheme}://{host}".encode()


def own_pages_only(application: Any) -> Any:
    """Refuses, with 403, whoever does not name exactly our origin. Compared as it stands: nothing in it can confuse."""

    async def checked(scope: dict[str, Any], receive: Any, send: Any) -> None:
        named = [value.lower() for name, value in scope["headers"] if name == b"origin"]
        await (application if named == [own_origin()] else WebsocketDenier())(scope, receive, send)

    return checked


application = ProtocolTypeRouter(
    {
        "http": no_pages,
        "websocket": own_pages_only(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
