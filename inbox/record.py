"""Puts the desk into the patient's page: called once, when the app is ready."""

from django.utils.translation import gettext_lazy as _

from inbox.selectors import record
from patients import journey, timeline
from patients.pieces import ACTS, HEAD, NEXT, Piece, register, register_address_marks


def register_with_patients() -> None:
    """Pieces, next steps, entries of the timeline and marks on addresses."""
    register(
        Piece(
            "work",
            _("Open conversations and cases"),
            NEXT,
            20,
            "inbox/_piece_work.html",
            record.open_work,
            is_panel=False,
        )
    )
    register(Piece("verified", _("Identity"), HEAD, 10, "inbox/_head_verified.html", record.verification))
    register(Piece("write", _("Write"), ACTS, 10, "inbox/_act_write.html", record.writing))
    register(Piece("call", _("Call"), ACTS, 12, "inbox/_act_call.html", record.calling))
    register(Piece("continuity", _("Continuity"), NEXT, 80, "inbox/_piece_continuity.html", record.continuity))
    register_address_marks(record.opt_out_marks)
    journey.register("desk", record.next_steps)
    timeline.register(timeline.Source("contacts", ("contact",), record.contacts_in_line, has_channels=True))
    timeline.register(timeline.Source("notes", ("note",), record.notes_in_line, has_channels=True))
    timeline.register(timeline.Source("cases", ("case",), record.cases_in_line))
    timeline.register(timeline.Source("moves", ("record",), record.moves_in_line))
