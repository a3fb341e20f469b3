from tests.simulator.fixtures import make_simulator, webhook_receiver

__all__ = ["make_simulator", "webhook_receiver"]
