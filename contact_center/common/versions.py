"""Nobody writes over a version that they did not see: the form carries which one it was filled in over.

A page draws `components/_seen.html` in its form with the context of `common.answers.seen_of`; the service asks
`refuse_unseen` once it holds the row.
"""

from django.utils.translation import gettext as _

from contact_center.common.errors import Conflict
from contact_center.common.models import TimeStampedModel


class Unseen(Conflict):
    """Somebody else changed the row after this person's form was drawn."""


def version_of(row: TimeStampedModel | None) -> str:
    """What a form says of the row it was filled in over; empty for none, and for one that is not stored yet."""
    return row.updated_at.isoformat() if row is not None and row.pk else ""


def refuse_unseen(row: TimeStampedModel, seen: str | None) -> None:
    """Raise Unseen when `row`, which the caller holds, is not the version `seen`; None or empty says nothing of it."""
    if seen and seen != version_of(row):
        raise Unseen(_("Somebody else changed this while you were writing. Nothing is lost: compare, then save again."))
