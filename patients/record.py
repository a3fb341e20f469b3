"""Puts the record's own subjects into the patient's page, the rail and the jobs: called once, when the app is ready."""

from functools import partial

from django.utils.translation import gettext_lazy as _

from contact_center.accounts.enums import Action
from contact_center.accounts.policies import can
from contact_center.common import shell
from contact_center.jobs import registry
from patients import journey, timeline
from patients.pieces import NEXT, PANEL, WHO, Piece, register
from patients.selectors import shown
from patients.selectors.happened import record_entries, record_next_steps
from patients.services import trail


def register_record() -> None:
    """Pieces, next steps, entries of the timeline, places in the rail, and the export of the audit trail."""
    own = [
        ("alerts", _("Alerts"), WHO, 10, shown.alerts, False),
        ("reach", _("Ways to reach them"), WHO, 20, shown.reach, False),
        ("preferences", _("Preferences"), WHO, 30, shown.preferences, False),
        ("consent", _("Consent"), WHO, 40, shown.consents, False),
        ("family", _("Family and proxies"), WHO, 50, shown.family, False),
        ("life", _("Worth remembering"), WHO, 60, shown.life_events, True),
        ("coverage", _("Coverage"), WHO, 70, shown.coverage, True),
        ("lookers", _("Who looked at this record"), WHO, 90, shown.lookers, False),
        ("programs", _("Programs"), NEXT, 40, shown.programs, True),
        ("pending", _("Results and authorisations"), NEXT, 30, shown.pending, True),
    ]
    for key, title, place, position, context, is_panel in own:
        register(Piece(key, title, place, position, f"patients/_piece_{key}.html", context, is_panel))
    register(
        Piece("next", _("Next expected step"), PANEL, 1, "patients/_piece_next.html", shown.next_steps, True, True)
    )
    journey.register("record", record_next_steps)
    timeline.register(timeline.Source("record", ("record",), record_entries))
    registry.register(trail.KIND, registry.Kind(_("Audit trail"), write=trail.write_trail))
    entries = [
        (_("Patients"), "users", "patients:list", 12, Action.WORK_INBOX),
        (_("Audit"), "eye", "patients:audit", 80, Action.VIEW_AUDIT),
    ]
    for title, icon, url_name, place_in_rail, action in entries:
        shell.register(shell.NavigationEntry(title, icon, url_name, place_in_rail, partial(can, action=action)))
