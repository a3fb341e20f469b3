import pytest

from tests.inbox.adapters.contract_cases import captured
from tests.simulator.fixtures import make_simulator, simulator_server, webhook_receiver

__all__ = ["make_simulator", "simulator_server", "webhook_receiver"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each contract test that asks for a `case` gets every captured payload of its class's folder."""
    folder = getattr(metafunc.cls, "payloads", None)
    if folder and "case" in metafunc.fixturenames:
        metafunc.parametrize("case", captured(folder))
