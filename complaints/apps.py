from django.apps import AppConfig


class ComplaintsConfig(AppConfig):
    """Complaints, from the first word to the follow-up."""

    name = "complaints"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from complaints import duties, receivers, record
        from contact_center.accounts.signals import access_changed, user_disabled
        from inbox.signals import interaction_linked

        duties.declare()
        record.register_everywhere()
        linked = receivers.follow_linked_conversation
        interaction_linked.connect(linked, dispatch_uid="complaints.follow_linked_conversation")
        for told in (user_disabled, access_changed):
            told.connect(receivers.give_back_complaints, dispatch_uid="complaints.give_back_complaints")
