"""The rows that an address of the list stands for."""

from django.db.models import QuerySet
from django.http import QueryDict

from contact_center.accounts.models import User
from inbox.models import Interaction
from inbox.selectors.lists import Look, view_rows
from inbox.selectors.pane import chosen_view, view_groups_of


def rows_of_look(user: User, look: str) -> QuerySet[Interaction]:
    """Rows of the list at the address query `look` (view, filters, order; a search is left out), for this person."""
    asked = QueryDict(look)
    view = chosen_view(view_groups_of(user), asked.get("view", ""))
    return view_rows(user, Look.read(view, asked))
