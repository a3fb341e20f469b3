"""The rows that an address of the list stands for."""

from collections.abc import Collection
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict

from contact_center.accounts.models import User
from inbox.models import Interaction
from inbox.selectors.lists import Look, view_rows
from inbox.selectors.pane import view_of
from inbox.selectors.search import matching


def rows_of_look(user: User, look: str, *, text: str = "", patient_ids: Collection[int] = ()) -> QuerySet[Interaction]:
    """Rows of the list at the address query `look` (view, filters, order), for this person.

    Of a search the caller gives the text and the patients it means: an address has only its key. None where the person
    has no such view, or not any more: what is meant for one view is never done to another.
    """
    asked = QueryDict(look)
    view = view_of(user, asked.get("view", ""))
    found = view_rows(user, Look.read(view, asked))
    if view.is_missing:
        return found.none()
    return matching(found, text, list(patient_ids), is_past=view.is_past) if text else found


def without_search(look: str) -> str:
    """The address query of the same rows before they were searched, as it may be kept."""
    pairs = [(key, value) for key, values in QueryDict(look).lists() for value in values if key != "s"]
    return urlencode([(key.replace("\x00", ""), value.replace("\x00", "")) for key, value in pairs])
