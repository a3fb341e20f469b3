from django.apps import AppConfig


class SimulatorConfig(AppConfig):
    """Templates, style sheets and the command of the simulator; it has no tables."""

    name = "contact_center.simulator"
    label = "simulator"
    verbose_name = "Simulator"
