"""What upper apps do when a patient must not be contacted any more: they stop what they were about to send.

It happens in the transaction that stores the switch, so that nothing leaves after it is stored.
"""

from collections.abc import Callable

from contact_center.accounts.models import User
from patients.models import Patient

Hold = Callable[[Patient], None]
Stop = Callable[[Patient, User | None], object]
_registered: dict[str, tuple[Hold, Stop]] = {}


def register(key: str, *, hold: Hold, stop: Stop) -> None:
    """An app above adds how it stops its messages; a second one with the same key replaces it.

    `hold` waits until nothing is just leaving to the patient and keeps it so until the transaction ends; `stop` then
    stops what waits.
    """
    _registered[key] = (hold, stop)


def withdraw(key: str) -> None:
    """Take an app's stop out again; one that is not there is none the less gone."""
    _registered.pop(key, None)


def hold_back(patient: Patient) -> None:
    """Wait for whatever is just leaving to this patient. Raises OperationalError when that takes too long."""
    for hold, _stop in _registered.values():
        hold(patient)


def stop_all(patient: Patient, actor: User | None) -> None:
    """Stop everything that waits to be sent; the last thing in the transaction of the switch."""
    for _hold, stop in _registered.values():
        stop(patient, actor)
