"""Downloading an attachment from a provider without becoming somebody's way into the private network."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from inbox.adapters.base import AdapterError, FetchedMedia, MediaRefused

MAX_REDIRECTS = 3
TOTAL_SECONDS = 60.0
_CHUNK = 64 * 1024
_SPOOL = 1024 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def fetch(
    url: str,
    *,
    max_bytes: int,
    is_allowed: Callable[[SplitResult], bool],
    is_trusted: Callable[[SplitResult], bool],
    auth: tuple[str, str],
    timeout: tuple[float, float],
) -> FetchedMedia:
    """Download `url`, at most `max_bytes` bytes, in at most a minute.

    Every hop must satisfy `is_allowed` and, unless `is_trusted`, be https on a public address; the address that was
    checked is the one connected to, whatever the name leads to a moment later. `auth` is sent only where
    `is_trusted`. Proxies and credentials of the environment are not used. Raises MediaRefused, AdapterError.
    """
    deadline = time.monotonic() + TOTAL_SECONDS
    for _hop in range(MAX_REDIRECTS + 1):
        target = _checked(url, is_allowed, is_trusted)
        with requests.Session() as session:
            session.trust_env = False
            if is_trusted(target):
                response = _get(session, url, auth, timeout)
            else:
                session.mount("https://", _PinnedAdapter(target))
                response = _get(session, url, None, timeout)
            with response:
                if response.status_code not in _REDIRECTS:
                    return _read(response, max_bytes, deadline)
                url = urljoin(url, response.headers.get("Location", ""))
    raise MediaRefused("The attachment's address redirects too often.")


def _checked(
    url: str, is_allowed: Callable[[SplitResult], bool], is_trusted: Callable[[SplitResult], bool]
) -> SplitResult:
    try:
        target = urlsplit(url)
        target.port  # noqa: B018 - raises on a port that is no number
    except ValueError:
        raise MediaRefused("The attachment's address cannot be read.") from None
    if target.username or target.password or not is_allowed(target):
        raise MediaRefused("The attachment is not at one of the provider's addresses.")
    if is_trusted(target):
        return target
    if target.scheme != "https":
        raise MediaRefused("The attachment's address is not encrypted.")
    return target


class _PinnedAdapter(HTTPAdapter):
    """Connects to the one address that was looked up and checked; the certificate must still be the name's.

    Raises MediaRefused when the name leads into a private network, AdapterError when it leads nowhere.
    """

    def __init__(self, target: SplitResult) -> None:
        self.name = target.hostname or ""
        self.address = _public_address(self.name, target.port or 443)
        super().__init__()

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Where requests connects: the address, proven by the name."""
        host, tls = super().build_connection_pool_key_attributes(*args, **kwargs)
        return host | {"host": self.address}, tls | {"server_hostname": self.name, "assert_hostname": self.name}

    def add_headers(self, request: requests.PreparedRequest, **kwargs: Any) -> None:
        """Ask for the name, not for the address."""
        request.headers["Host"] = urlsplit(request.url or "").netloc


def _public_address(host: str, port: int) -> str:
    """The first address of a name all of whose addresses are public."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise AdapterError(
            "The provider's address cannot be found.", permanent=False, reason="provider_down"
        ) from error
    for answer in answers:
        address = ipaddress.ip_address(str(answer[4][0]).split("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        if not (mapped or address).is_global:
            raise MediaRefused("The attachment's address leads into a private network.")
    if not answers:
        raise AdapterError("The provider's address cannot be found.", permanent=False, reason="provider_down")
    return str(answers[0][4][0])


def _get(
    session: requests.Session, url: str, auth: tuple[str, str] | None, timeout: tuple[float, float]
) -> requests.Response:
    try:
        return session.get(
            url,
            # Unpacked content would make the size limit meaningless.
            headers={"Accept-Encoding": "identity"},
            auth=auth,
            stream=True,
            timeout=timeout,
            allow_redirects=False,
        )
    except requests.exceptions.RequestException as error:
        raise AdapterError("The attachment could not be fetched.", permanent=False, reason="provider_down") from error


def _read(response: requests.Response, max_bytes: int, deadline: float) -> FetchedMedia:
    if response.status_code != 200:
        is_gone = response.status_code == 410
        raise AdapterError(
            f"The provider answered {response.status_code} for the attachment.",
            permanent=is_gone,
            reason="provider_down" if response.status_code >= 500 else "unknown",
            code=str(response.status_code),
        )
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise MediaRefused(f"The attachment is larger than {max_bytes} bytes.")
    content = SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 - the caller closes it
    try:
        size = _copy(response, content, max_bytes, deadline)
    except BaseException:
        content.close()
        raise
    if announced.isdigit() and size != int(announced):
        content.close()
        raise AdapterError("The attachment arrived incomplete.", permanent=False, reason="provider_down")
    content.seek(0)
    declared = response.headers.get("Content-Type", "application/octet-stream")
    return FetchedMedia(content=content, content_type=declared.split(";")[0].strip().lower(), size=size)  # type: ignore[arg-type]


def _copy(response: requests.Response, content: SpooledTemporaryFile[bytes], max_bytes: int, deadline: float) -> int:
    size = 0
    try:
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            size += len(chunk)
            if size > max_bytes:
                raise MediaRefused(f"The attachment is larger than {max_bytes} bytes.")
            if time.monotonic() > deadline:
                raise AdapterError("The attachment came too slowly.", permanent=False, reason="provider_down")
            content.write(chunk)
    except (OSError, HTTPError) as error:
        raise AdapterError("The attachment broke off.", permanent=False, reason="provider_down") from error
    return size
