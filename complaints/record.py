"""Puts complaints into the patient's record, the patient's own page, the desk's menu and search: called once, when the
app is ready."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from complaints.policies import can_handle, can_register
from complaints.selectors import complaints_by_reference
from complaints.services.concluding import TOPIC
from complaints.shown import ICON, complaints_in_line, next_steps, own_complaints, piece
from contact_center.accounts.models import User
from contact_center.common import shell
from inbox import acts, portal
from inbox.enums import NotificationKind
from inbox.models import Interaction
from inbox.selectors.notifications import register_place
from inbox.selectors.search import Matter, register_finder
from inbox.selectors.topics import register_topic
from patients import journey, timeline
from patients.pieces import NEXT, Piece, register


def register_everywhere() -> None:
    """Pieces, next steps, timeline, own page, menu of a conversation, search, live topic, rail, notices."""
    register(Piece("complaints", _("Complaints"), NEXT, 15, "complaints/_piece_complaints.html", piece))
    journey.register("complaints", next_steps)
    timeline.register(timeline.Source("complaints", ("complaint",), complaints_in_line))
    own = portal.Section("complaints", _("Your complaints"), "complaints/_own_complaints.html", 30, "", own_complaints)
    portal.register(own)
    acts.register("complaint", acts.Act(_("Register a complaint"), ICON, _from_conversation, can_register, "f"))
    register_finder(_find)
    register_topic(TOPIC, can_handle)
    shell.register(shell.NavigationEntry(_("Complaints"), ICON, "complaints:list", 14, can_register))
    register_place(NotificationKind.COMPLAINT_GIVEN, lambda _user: f"{reverse('complaints:list')}?show=mine")
    register_place(NotificationKind.COMPLAINT_ESCALATED, lambda _user: reverse("complaints:list"))


def _from_conversation(interaction: Interaction) -> str:
    return f"{reverse('complaints:new')}?conversation={interaction.pk}"


def _find(user: User, text: str, limit: int) -> list[Matter]:
    return [
        Matter(
            "complaint", row.pk, row.reference,
            " · ".join(filter(None, [row.patient.full_name if row.patient else "", row.get_status_display()])),
            reverse("complaints:complaint", args=[row.pk]), ICON,
        )
        for row in complaints_by_reference(user, text, limit=limit)
    ]  # fmt: skip
