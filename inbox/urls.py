"""Addresses of the desk."""

from django.urls import path

from inbox import webhooks
from inbox.views import actions, canned, compose, interactions, operations, public

app_name = "inbox"
urlpatterns = [
    path("inbox/", interactions.interaction_list, name="list"),
    path("inbox/search/", interactions.search, name="search"),
    path("inbox/views/", interactions.views_pane, name="views"),
    path("inbox/rows/", interactions.rows_pane, name="rows"),
    path("inbox/<int:pk>/", interactions.interaction_page, name="interaction"),
    path("inbox/<int:pk>/talk/", interactions.talk_pane, name="talk"),
    path("inbox/<int:pk>/earlier/", interactions.earlier, name="earlier"),
    path("inbox/<int:pk>/side/", interactions.side_pane, name="side"),
    path("inbox/<int:pk>/compose/", compose.compose, name="compose"),
    path("inbox/<int:pk>/take/", actions.take, name="take"),
    path("inbox/<int:pk>/release/", actions.release, name="release"),
    path("inbox/<int:pk>/assign/", actions.assign, name="assign"),
    path("inbox/<int:pk>/wrap-up/", actions.wrap_up, name="wrap-up"),
    path("inbox/<int:pk>/reopen/", actions.reopen, name="reopen"),
    path("inbox/<int:pk>/link/", actions.link, name="link"),
    path("inbox/<int:pk>/create-patient/", actions.create_and_link, name="create-patient"),
    path("inbox/<int:pk>/templates/", actions.send_template, name="templates"),
    path("inbox/<int:pk>/canned/", canned.picker, name="canned"),
    path("settings/", canned.settings_page, name="settings"),
    path("settings/replies/", canned.canned_replies, name="canned-replies"),
    path("settings/replies/new/", canned.canned_reply, name="canned-new"),
    path("settings/replies/<int:pk>/", canned.canned_reply, name="canned-edit"),
    path("settings/replies/<int:pk>/switch/", canned.canned_switch, name="canned-switch"),
    path("inbox/messages/<int:pk>/retry/", actions.retry, name="retry"),
    path("inbox/messages/<int:pk>/cancel/", actions.cancel, name="cancel"),
    path("inbox/attachments/<int:pk>/", operations.attachment, name="attachment"),
    path("outbox/", operations.outbox, name="outbox"),
    path("quarantine/", operations.quarantine, name="quarantine"),
    path("quarantine/<int:pk>/raw/", operations.quarantine_raw, name="quarantine-raw"),
    path("quarantine/<int:pk>/retry/", operations.quarantine_retry, name="quarantine-retry"),
    path("forms/", public.form_index, name="forms"),
    path("forms/<slug:slug>/", public.public_form, name="form"),
    path("forms/<slug:slug>/submit.json", public.form_json, name="form-json"),
    path("forms/<slug:slug>/thanks/", public.form_thanks, name="form-thanks"),
    path("forms/<slug:slug>/receipt/<slug:reference>/", public.form_receipt, name="form-receipt"),
    path("webhooks/twilio/messaging", webhooks.twilio_messaging, name="twilio-messaging"),
    path("webhooks/twilio/message-status", webhooks.twilio_message_status, name="twilio-message-status"),
    path("webhooks/twilio/voice", webhooks.twilio_voice, name="twilio-voice"),
    path("webhooks/twilio/voice-status", webhooks.twilio_voice_status, name="twilio-voice-status"),
    path("webhooks/email/<slug:provider>/", webhooks.email_provider, name="email-provider"),
    path(
        "webhooks/email/<slug:provider>/tracking/",
        webhooks.email_provider,
        {"what": "tracking"},
        name="email-provider-tracking",
    ),
]
