"""What of a message leaves the house. Staff see the words in the thread; the provider gets what this says."""

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from inbox.enums import MessagePurpose
from inbox.models import Message, OneTimeCode
from inbox.services.codes import MASK, digits_of


def words_that_leave(message: Message) -> str:
    """The text the provider sends: of a sensitive message only the way to it, of a code its digits."""
    if message.is_sensitive:
        return invitation(message)
    if message.purpose == MessagePurpose.CODE:
        code = OneTimeCode.objects.filter(message=message).first()
        return message.text.replace(MASK, digits_of(code)) if code else message.text
    return message.text


def subject_that_leaves(message: Message) -> str:
    """The subject of a mail: of a sensitive one nothing that its author wrote."""
    if not message.is_sensitive:
        return message.subject
    with translation.override(_language_of(message)):
        return _("A message from %(organisation)s for you") % {"organisation": settings.ORGANISATION_NAME}


def invitation(message: Message) -> str:
    """The words that lead to a sensitive message on the patient's own page, in the patient's language."""
    url = settings.PUBLIC_BASE_URL + reverse("my:message", args=[message.public_id])
    with translation.override(_language_of(message)):
        text = _("%(organisation)s has a message for you. To keep it safe, read it here: %(url)s")
        return text % {"organisation": settings.ORGANISATION_NAME, "url": url}


def _language_of(message: Message) -> str:
    patient = message.interaction.patient
    language = message.interaction.language or (patient.language if patient else "")
    return language if language[:2] in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
