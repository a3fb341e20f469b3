from functools import partial

from django.apps import AppConfig


class InboxConfig(AppConfig):
    """The desk: channels, interactions, messages, ledger and outbox."""

    name = "inbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from anymail.signals import inbound, tracking
        from django.contrib.auth.signals import user_logged_out
        from django.utils.translation import gettext_lazy as _

        from contact_center.accounts.enums import Action
        from contact_center.accounts.policies import can
        from contact_center.accounts.signals import access_changed, presence_changed, user_disabled
        from contact_center.common import shell
        from contact_center.jobs.signals import job_changed, job_finished
        from inbox import checks, duties, receivers  # noqa: F401
        from inbox.record import register_with_patients
        from inbox.selectors.interactions import patients_of_partner, serves_patient
        from inbox.services import halts
        from patients import panels
        from patients.selectors.access import may_open, register_acquaintance
        from patients.selectors.people import register_partner_scope
        from patients.services import stops
        from patients.signals import glass_broken, patients_merged, patients_unmerged

        duties.declare()
        access_changed.connect(receivers.recheck_sockets, dispatch_uid="inbox.recheck_sockets")
        access_changed.connect(receivers.end_calls_without_right, dispatch_uid="inbox.end_calls_without_right")
        user_disabled.connect(receivers.return_work, dispatch_uid="inbox.return_work")
        user_logged_out.connect(receivers.recheck_sockets_after_sign_out, dispatch_uid="inbox.sign_out")
        inbound.connect(receivers.store_provider_mail, dispatch_uid="inbox.store_provider_mail")
        tracking.connect(receivers.store_provider_tracking, dispatch_uid="inbox.store_provider_tracking")
        presence_changed.connect(receivers.show_presence, dispatch_uid="inbox.show_presence")
        presence_changed.connect(receivers.follow_presence, dispatch_uid="inbox.follow_presence")
        job_changed.connect(receivers.show_job, dispatch_uid="inbox.show_job")
        for changed in (patients_merged, patients_unmerged):
            changed.connect(receivers.show_merge, dispatch_uid="inbox.show_merge")
        glass_broken.connect(receivers.tell_privacy_officers, dispatch_uid="inbox.tell_privacy_officers")
        job_finished.connect(receivers.tell_job_owner, dispatch_uid="inbox.tell_job_owner")
        register_partner_scope(patients_of_partner)
        register_acquaintance(serves_patient)
        register_with_patients()
        panels.register(panels.Panel("consents", _("Preferences and consent"), "inbox:panel-consents", 10, may_open))
        stops.register("inbox", hold=halts.hold_back, stop=halts.stop_messages)
        entries = [
            (_("Inbox"), "inbox", "inbox:list", 10, Action.WORK_INBOX),
            (_("Team"), "users", "inbox:team", 15, Action.ASSIGN_OTHERS),
            (_("Calls now"), "phone", "inbox:calls", 16, Action.SUPERVISE_CALLS),
            (_("Outbox"), "send", "inbox:outbox", 20, Action.VIEW_OUTBOX),
            (_("Quarantine"), "shield-alert", "inbox:quarantine", 30, Action.VIEW_LEDGER),
            (_("Settings"), "settings", "inbox:settings", 90, Action.WORK_INBOX),
        ]
        from contact_center.jobs import registry
        from inbox.services import bulk, exports, promises
        from inbox.views.calls import phone_context
        from inbox.views.notices import bell_context, palette_context, unread_work
        from inbox.views.offers import offers_context
        from inbox.views.softphone import device_context

        registry.register(
            bulk.KIND, registry.Kind(_("Change of many conversations"), do=bulk.do_item, describe=bulk.describe)
        )
        registry.register(
            promises.KIND,
            registry.Kind(_("Policies for open conversations"), do=promises.apply_to_one, describe=promises.describe),
        )
        registry.register(exports.KIND, registry.Kind(_("Export of a view"), write=exports.write))

        shell.register_piece(shell.Piece("inbox/_offers.html", 60, offers_context))
        shell.register_piece(shell.Piece("inbox/_bell.html", 40, bell_context))
        shell.register_piece(shell.Piece("inbox/_phone.html", 20, phone_context, place="mid"))
        shell.register_piece(shell.Piece("inbox/_device.html", 10, device_context))
        shell.register_piece(shell.Piece("inbox/_palette.html", 10, palette_context, place="mid"))
        shell.register_in_menu(
            shell.NavigationEntry(_("Notifications"), "bell", "inbox:notification-preferences", 10, bool)
        )
        for title, icon, url_name, position, action in entries:
            waiting = unread_work if url_name == "inbox:list" else None
            shell.register(shell.NavigationEntry(title, icon, url_name, position, partial(can, action=action), waiting))
