"""What complaints do when others announce something."""

from typing import Any

from complaints.models import Complaint
from complaints.services.following import follow_conversation
from complaints.services.giving_back import give_back_complaints_of


def follow_linked_conversation(sender: Any, interaction_id: int, **kwargs: Any) -> None:
    """inbox.interaction_linked → complaints from that conversation belong to its patient."""
    if Complaint.objects.filter(interaction=interaction_id).exists():
        follow_conversation(interaction_id=interaction_id)


def give_back_complaints(sender: Any, user_id: int, **kwargs: Any) -> None:
    """accounts.user_disabled, accounts.access_changed → nobody keeps a complaint who may not see to it any more."""
    give_back_complaints_of(user_id)
