"""Addresses of the desk."""

from django.http import HttpResponse
from django.urls import path

from inbox import webhooks

app_name = "inbox"
urlpatterns = [
    path("inbox/", lambda request: HttpResponse("soon"), name="list"),
    path("webhooks/twilio/messaging", webhooks.twilio_messaging, name="twilio-messaging"),
    path("webhooks/twilio/message-status", webhooks.twilio_message_status, name="twilio-message-status"),
    path("webhooks/twilio/voice", webhooks.twilio_voice, name="twilio-voice"),
    path("webhooks/twilio/voice-status", webhooks.twilio_voice_status, name="twilio-voice-status"),
]
