"""Pages that patients open without signing in: forms and their receipts."""

import hashlib
import io
import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from rest_framework.exceptions import ParseError

from contact_center.common.api import StrictJSONParser
from contact_center.common.ratelimit import caller_address, is_over
from inbox.models import FormSubmission, WebForm
from inbox.services.webforms import digest_of, submit_form
from inbox.webforms import HONEYPOT, TOKEN, AnswerForm, largest_request, misread_answers, new_token, read_token

MAX_JSON_BYTES = 64 * 1024
KEY_SECONDS = 24 * 3600
READS_PER_SUBMISSION = 3  # a person may correct a form before it is taken
EMBED = "embed"


@login_not_required
@require_safe
def form_index(request: HttpRequest) -> HttpResponse:
    """The forms on offer."""
    forms = WebForm.objects.filter(is_active=True).order_by("language", "title")
    return render(request, "public/form_index.html", {"forms": forms})


@login_not_required
@csrf_exempt  # no session is used; the signed form token stands for it, also inside another site's frame
@require_http_methods(["GET", "HEAD", "POST"])
def public_form(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a form, or take a submission. Invalid: 422 with what is wrong at the field and the input kept."""
    web_form = _form(slug)
    with translation.override(web_form.language):
        if request.method != "POST":
            return _page(request, web_form, AnswerForm(web_form))
        if refused := _unread(request, web_form):
            return refused
        nonce = read_token(request.POST.get(TOKEN, ""), slug)
        form = AnswerForm(web_form, request.POST, request.FILES)
        if nonce is None:
            problem = _("This page was open for too long. Your answers are kept: please send them again.")
            return _page(request, web_form, form, status=403, problem=problem)
        if request.POST.get(HONEYPOT):
            return _onward(request, "inbox:form-thanks", slug)
        if is_over("form", caller_address(request), limit=settings.PUBLIC_FORM_LIMIT, seconds=60):
            problem = _("Too many messages came from your connection. Wait a minute, then send this again.")
            return _page(request, web_form, form, status=429, problem=problem)
        if not form.is_valid():
            return _page(request, web_form, form, status=422)
        submission = submit_form(form=web_form, answers=form.cleaned_data, nonce=nonce)
        return _onward(request, "inbox:form-receipt", slug, submission.reference)


def _unread(request: HttpRequest, web_form: WebForm) -> HttpResponse | None:
    """Refuse a body by its announced length or its sender before any of it is read; files would fill the disk."""
    length = _length(request)
    if length is None:
        return HttpResponse("The length of the request is missing.", status=411, content_type="text/plain")
    if length > largest_request(web_form):
        problem = _("This is too large to send. Go back and choose a file of at most ten megabytes.")
        return _page(request, web_form, AnswerForm(web_form), status=413, problem=problem)
    reads = settings.PUBLIC_FORM_LIMIT * READS_PER_SUBMISSION
    if is_over("form-read", caller_address(request), limit=reads, seconds=60):
        problem = _("Too many messages came from your connection. Go back, wait a minute, then send this again.")
        return _page(request, web_form, AnswerForm(web_form), status=429, problem=problem)
    return None


def _length(request: HttpRequest) -> int | None:
    """The announced length of the body in bytes; None for one sent in chunks, 0 where there is no body."""
    announced = str(request.META.get("CONTENT_LENGTH") or "")
    if not announced and "Transfer-Encoding" not in request.headers:
        return 0
    return int(announced) if announced.isascii() and announced.isdigit() and len(announced) < 16 else None


def _form(slug: str) -> WebForm:
    return get_object_or_404(
        WebForm.objects.select_related("channel__queue").prefetch_related("fields"), slug=slug, is_active=True
    )


def _page(
    request: HttpRequest, web_form: WebForm, form: AnswerForm, *, status: int = 200, problem: str = ""
) -> HttpResponse:
    response = render(
        request,
        "public/form.html",
        {
            "web_form": web_form,
            "form": form,
            "problem": problem,
            "token": new_token(web_form.slug),
            "honeypot": HONEYPOT,
            "is_embedded": EMBED in request.GET,
        },
        status=status,
    )
    return _framed(request, web_form, response)


def _onward(request: HttpRequest, name: str, *args: str) -> HttpResponse:
    """To the next page, in the frame if this one was."""
    address = reverse(name, args=args)
    return redirect(f"{address}?{EMBED}" if EMBED in request.GET else address)


def _framed(request: HttpRequest, web_form: WebForm, response: HttpResponse) -> HttpResponse:
    """Let the sites that an admin named show this page in a frame; nobody else may."""
    response["Content-Language"] = web_form.language
    if EMBED in request.GET and web_form.allowed_origins:
        response._csp_replace = {"frame-ancestors": list(web_form.allowed_origins)}  # type: ignore[attr-defined]
        response.xframe_options_exempt = True  # type: ignore[attr-defined]
    return response


@login_not_required
@require_safe
def form_receipt(request: HttpRequest, slug: str, reference: str) -> HttpResponse:
    """The reference and what happens next; nothing of what was written."""
    submission = FormSubmission.objects.select_related("form").filter(form__slug=slug, reference=reference).first()
    if submission is None:
        raise Http404
    with translation.override(submission.form.language):
        return _receipt(request, submission.form, reference)


@login_not_required
@require_safe
def form_thanks(request: HttpRequest, slug: str) -> HttpResponse:
    """What a robot sees: a page like the receipt, with nothing behind it."""
    web_form = _form(slug)
    with translation.override(web_form.language):
        return _receipt(request, web_form, "")


def _receipt(request: HttpRequest, web_form: WebForm, reference: str) -> HttpResponse:
    context = {"web_form": web_form, "reference": reference, "is_embedded": EMBED in request.GET}
    return _framed(request, web_form, render(request, "public/form_receipt.html", context))


@login_not_required
@csrf_exempt  # a machine's address: no cookie is read
@require_http_methods(["POST", "OPTIONS"])
def form_json(request: HttpRequest, slug: str) -> HttpResponse:
    """Submit a form as JSON: `{"answers": {key: value}, "idempotency_key": text}` → 201 `{"reference": …}`.

    The same answers with the same key again give the first reference; other answers with a key that the caller has
    used in the last day are refused with 409. 422 `{"errors": {key: [{"message", "code"}]}}`, 400 for what is not
    JSON, 403 for a foreign origin, 411, 413, 429. Files are not taken here.
    """
    web_form = _form(slug)
    origin = request.headers.get("Origin", "")
    if origin and not _is_allowed(origin, web_form):
        return JsonResponse({"detail": "This origin may not use the form."}, status=403)
    if request.method == "OPTIONS":
        return _allow(HttpResponse(status=204), origin)
    with translation.override(web_form.language):
        return _allow(_take_json(request, web_form), origin)


def _take_json(request: HttpRequest, web_form: WebForm) -> JsonResponse:
    if is_over("form", caller_address(request), limit=settings.PUBLIC_FORM_LIMIT, seconds=60):
        return JsonResponse({"detail": _("Too many messages. Wait a minute, then try again.")}, status=429)
    length = _length(request)
    if length is None:
        return JsonResponse({"detail": "The length of the request is missing."}, status=411)
    if length > MAX_JSON_BYTES:
        return JsonResponse({"detail": "Too large."}, status=413)
    try:
        content: dict[str, Any] = StrictJSONParser().parse(io.BytesIO(request.body))
    except ParseError as error:
        return JsonResponse({"detail": str(error.detail)}, status=400)
    answers, key = content.get("answers"), content.get("idempotency_key", "")
    if not isinstance(answers, dict) or not isinstance(key, str) or not re.fullmatch(r"[\w-]{0,64}", key):
        return JsonResponse({"detail": 'Send {"answers": {…}, "idempotency_key": "…"}.'}, status=400)
    if answers.get(HONEYPOT):
        return JsonResponse({"reference": ""}, status=201)
    if wrong := misread_answers(web_form, answers):
        return JsonResponse({"errors": wrong}, status=422)
    form = AnswerForm(web_form, answers)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors.get_json_data()}, status=422)
    if key and not _is_first_use(f"{web_form.slug}:{key}:{caller_address(request)}", digest_of(form.cleaned_data)):
        problem = _("You have used this key for other answers. Send these with a key of their own.")
        return JsonResponse({"detail": problem}, status=409)
    nonce = f"json-{key}" if key else new_token(web_form.slug)[-40:]
    submission = submit_form(form=web_form, answers=form.cleaned_data, nonce=nonce)
    return JsonResponse({"reference": submission.reference, "next": web_form.receipt_text}, status=201)


def _is_first_use(key: str, digest: str) -> bool:
    """Whether this key stands for these answers and no others; without Redis it is believed."""
    name = f"form-key:{hashlib.sha256(key.encode()).hexdigest()}"
    try:
        return bool(cache.get_or_set(name, digest, timeout=KEY_SECONDS) == digest)
    except Exception:
        return True


def _is_allowed(origin: str, web_form: WebForm) -> bool:
    own = urlsplit(settings.PUBLIC_BASE_URL)
    return origin == f"{own.scheme}://{own.netloc}" or origin in web_form.allowed_origins


def _allow(response: HttpResponse, origin: str) -> HttpResponse:
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Headers"] = "Content-Type"
        response["Access-Control-Allow-Methods"] = "POST"
        response["Vary"] = "Origin"
    return response
