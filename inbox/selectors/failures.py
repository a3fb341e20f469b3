"""Why a message or a file did not get through, in the reader's language: stored is a code or an English sentence.

The sentences of adapters are marked for translation where they stand; here they are looked up.
"""

from django.utils.translation import gettext, ngettext

from inbox.adapters.twilio_errors import ERRORS
from inbox.enums import FileProblem
from inbox.models import Message

LEFT_OUT = "left_out:"


def delivery_sentence(message: Message) -> str:
    """What the provider or we know of a failure; empty when nothing is known."""
    known = ERRORS.get(message.error_code) if message.provider.startswith("twilio") else None
    sentence = known.sentence if known else message.error_text
    return gettext(sentence) if sentence else ""


def file_sentence(error: str) -> str:
    """Why a file was not kept, from its code; an earlier or an adapter's sentence is translated where it is known."""
    if error in FileProblem.values:
        return str(FileProblem(error).label)
    count = error.removeprefix(LEFT_OUT)
    if error.startswith(LEFT_OUT) and count.isdecimal():
        many = int(count)
        one = "Too many files came: this one was not kept."
        more = "Too many files came: this is the first of %(count)s that were not kept."
        return ngettext(one, more, many) % {"count": many}
    return gettext(error) if error else ""
