"""What is expected next for a patient, whoever expects it. Apps register their sources in `ready()`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.functional import Promise

from contact_center.accounts.models import User
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing that somebody will do. `source` says what it belongs to; `url` leads there, empty for nowhere."""

    title: str
    owner: str
    due_date: date | None
    source: str | Promise
    url: str = ""
    icon: str = "route"

    @property
    def is_overdue(self) -> bool:
        """Its day is over."""
        return self.due_date is not None and self.due_date < timezone.localdate()


Source = Callable[[User, Patient], Iterable[NextStep]]
_sources: dict[str, Source] = {}


def register(key: str, source: Source) -> None:
    """Add a source of next steps, of what the person may see; a second one with the same key takes its place."""
    _sources[key] = source


def next_steps_for(user: User, patient: Patient) -> list[NextStep]:
    """All that is expected, the earliest first; what has no day comes last."""
    found = [step for source in _sources.values() for step in source(user, patient)]
    return sorted(found, key=lambda step: (step.due_date is None, step.due_date or date.max))
