from tests.simulator.fixtures import make_simulator, simulator_server, webhook_receiver

__all__ = ["make_simulator", "simulator_server", "webhook_receiver"]
