"""What complaints do when others announce something."""

from typing import Any

from complaints.models import Complaint
from complaints.services.registering import follow_conversation


def follow_linked_conversation(sender: Any, interaction_id: int, **kwargs: Any) -> None:
    """inbox.interaction_linked → complaints from that conversation belong to its patient."""
    if Complaint.objects.filter(interaction=interaction_id).exists():
        follow_conversation(interaction_id=interaction_id)
