import pytest

from tests.inbox.mail.imap_server import running_server


@pytest.fixture(scope="session")
def imap_process():
    with running_server() as server:
        yield server


@pytest.fixture
def imap_server(imap_process):
    """A real IMAP server with an empty folder."""
    imap_process.create()
    return imap_process
