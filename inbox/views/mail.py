"""A mail as it was formatted, in a frame of its own that runs nothing and loads nothing."""

from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from contact_center.accounts.requests import person_of
from inbox.mail.sanitise import sanitise_html, without_images
from inbox.models import Message
from inbox.selectors.conversation import get_message_for
from inbox.views import traces

POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'none'"],
    "img-src": ["'none'"],
    "connect-src": ["'none'"],
    "media-src": ["'none'"],
    "form-action": ["'none'"],
    "style-src": ["'self'"],
    "font-src": ["'self'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@require_safe
@xframe_options_sameorigin
@csp_replace(POLICY)  # type: ignore[arg-type]
def formatted_mail(request: HttpRequest, pk: int) -> HttpResponse:
    """The mail's own markup, sanitised again; 404 for one without any, or of a conversation that is not theirs."""
    try:
        message = get_message_for(person_of(request), pk)
    except Message.DoesNotExist:
        raise Http404 from None
    if not message.html:
        raise Http404
    traces.leave_trace(request, message.interaction)
    markup = without_images(sanitise_html(message.html).html)
    context = {"markup": markup, "subject": message.subject, "language": message.interaction.language}
    return render(request, "inbox/mail_formatted.html", context)
