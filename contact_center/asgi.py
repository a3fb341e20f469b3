"""Socket entry point: only /ws/ is served here; pages come from the web process."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contact_center.settings")
django.setup()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import OriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from inbox.routing import websocket_urlpatterns  # noqa: E402


async def no_pages(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """200 at /healthz, 404 elsewhere."""
    is_health = scope["path"] == "/healthz"
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200 if is_health else 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok" if is_health else b"Only /ws/ is served here."})


application = ProtocolTypeRouter(
    {
        "http": no_pages,
        "websocket": OriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), [settings.PUBLIC_BASE_URL]),
    }
)
