"""X7: an attachment's address never becomes a way into the private network."""

import socket
from types import SimpleNamespace

import pytest

from inbox.adapters.base import AdapterError, MediaRefused
from inbox.adapters.events import MediaRef
from inbox.adapters.twilio_http import TwilioConfig
from inbox.adapters.twilio_messaging import TwilioMessagingAdapter

PUBLIC, PRIVATE = "93.184.216.34", "169.254.169.254"
CDN = "https://media.twiliocdn.com/x"
REFUSED_URLS = [
    "http://169.254.169.254/latest/meta-data/",
    "https://169.254.169.254/latest/meta-data/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "http://127.0.0.1:55432/",
    "https://localhost/x",
    "http://[::1]/x",
    "http://[::ffff:127.0.0.1]/x",
    "https://[::ffff:169.254.169.254]/x",
    "https://2130706433/x",
    "https://0x7f.1/x",
    "https://0/x",
    "https://127.0.0.1.nip.io/x",
    "https://api.twilio.com@127.0.0.1/x",
    "https://media.twiliocdn.com.evil.example/x",
    "https://media.twiliocdn.com:6379/x",
    "http://media.twiliocdn.com/x",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "//127.0.0.1/x",
]
REFUSED_ADDRESSES = [
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.8",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "::1",
    "::ffff:10.0.0.1",
    "fd00:ec2::254",
    "fe80::1%eth0",
    "::",
]


@pytest.fixture
def network(monkeypatch):
    """`connected` lists every address that anything connects to, all refused; `names` are DNS answers."""
    made = SimpleNamespace(connected=[], names=[])

    def resolve(host, port, *args, **kwargs):
        is_literal = ":" in host or host.replace(".", "").isdigit()
        answers = [host] if is_literal else made.names.pop(0) if len(made.names) > 1 else made.names[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port)) for answer in answers]

    def connect(self, address):
        made.connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    return made


def outcome(url=CDN):
    config = TwilioConfig("AC" + "0" * 32, "token", "https://care.example.org", "https://api.twilio.com", 1.0)
    try:
        TwilioMessagingAdapter(config).fetch_media(MediaRef(url), 1000)
    except (MediaRefused, AdapterError) as error:
        return type(error)
    return None


@pytest.mark.fault
def test_no_address_but_the_providers_public_one_is_ever_connected_to(network, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    network.names = [[PUBLIC]]
    outcomes = [outcome(url) for url in REFUSED_URLS]
    for address in REFUSED_ADDRESSES:
        for answer in ([address], [PUBLIC, address]):
            network.names = [answer]
            outcomes.append(outcome())
    print(f"X7: {len(outcomes)} ways into the private network, {len(network.connected)} connections")
    assert (set(outcomes), network.connected) == ({MediaRefused}, [])


@pytest.mark.fault
def test_a_name_that_changes_its_address_after_the_check_is_connected_to_where_it_was_checked(network):
    network.names = [[PUBLIC], [PRIVATE]]
    assert (outcome(), network.connected) == (AdapterError, [PUBLIC])
