"""Pages around signing in that the library does not have: the lock, one's sessions, who needs a second factor."""

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import remove_webauthn
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts import middleware, protection
from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.common.errors import Refused


@require_safe
def stay(request: HttpRequest) -> HttpResponse:
    """A sign of life of somebody who reads or types: that it came is all it says."""
    return HttpResponse(status=204)


@require_http_methods(["GET", "HEAD", "POST"])
def lock(request: HttpRequest) -> HttpResponse:
    """Lock this session; a POST with the password opens it again. What was being written stays where it is.

    Five wrong passwords end the session. Asked by a script it answers with the form alone.
    """
    error = ""
    if request.method == "POST":
        if protection.unlock(request, request.POST.get("password", "")):
            request.session[middleware.SEEN] = int(middleware.time.time())
            return HttpResponse(status=204) if _is_piece(request) else redirect(_next(request))
        left = protection.tries_left(request.session)
        if not left:
            logout(request)
            return redirect(settings.LOGIN_URL)
        error = _("That is not your password. Tries left: %(count)s.") % {"count": left}
    protection.lock(request.session)
    name = "account/_lock.html" if _is_piece(request) else "account/lock.html"
    return render(request, name, {"error": error, "next": _next(request)}, status=422 if error else 200)


def _is_piece(request: HttpRequest) -> bool:
    return request.headers.get("X-Piece") == "1"


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, None) else "/"


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign one's own other browser out."""
    try:
        protection.end_session(actor=person_of(request), session_id=pk)
    except UserSession.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("That browser is signed out."))
    return redirect("usersessions_list")


@require_http_methods(["GET", "HEAD", "POST"])
def protection_page(request: HttpRequest) -> HttpResponse:
    """Which roles need a second factor, and who has one; a POST changes one role's rule."""
    actor = person_of(request)
    if request.method == "POST":
        try:
            is_required = request.POST.get("is_required") == "1"
            protection.set_rule(actor=actor, role=request.POST.get("role", ""), is_required=is_required)
            messages.success(request, _("Saved. It holds from now on."))
        except Refused as error:
            messages.error(request, str(error))
        return redirect("protection")
    context = {"rules": protection.rules_for(actor), "people": protection.protected_people(actor)[:500]}
    return render(request, "account/protection.html", context)


@require_POST
def reset_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away the second factor of somebody who lost it."""
    try:
        protection.reset_second_factor(actor=person_of(request), user_id=pk)
        messages.success(request, _("The second factor is gone. They set up a new one when they sign in."))
    except User.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        messages.error(request, str(error))
    return redirect("protection")


@require_http_methods(["GET", "HEAD", "POST"])
def remove_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then remove one of one's own passkeys; one of somebody else's does not exist."""
    if not Authenticator.objects.filter(user=person_of(request), type=Authenticator.Type.WEBAUTHN, pk=pk).exists():
        raise Http404
    response: HttpResponse = remove_webauthn(request, pk=pk)
    return response
