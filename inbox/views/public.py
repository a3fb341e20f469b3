"""Pages that patients open without signing in: forms and their receipts."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.common.ratelimit import caller_address, is_over
from inbox.models import FormSubmission, WebForm
from inbox.services.webforms import submit_form
from inbox.webforms import HONEYPOT, TOKEN, AnswerForm, new_token, read_token

MAX_JSON_BYTES = 64 * 1024


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
        nonce = read_token(request.POST.get(TOKEN, ""), slug)
        form = AnswerForm(web_form, request.POST, request.FILES)
        if nonce is None:
            problem = _("This page was open for too long. Your answers are kept: please send them again.")
            return _page(request, web_form, form, status=403, problem=problem)
        if request.POST.get(HONEYPOT):
            return redirect("inbox:form-thanks", slug)
        if is_over("form", caller_address(request), limit=settings.PUBLIC_FORM_LIMIT, seconds=60):
            problem = _("Too many messages came from your connection. Wait a minute, then send this again.")
            return _page(request, web_form, form, status=429, problem=problem)
        if not form.is_valid():
            return _page(request, web_form, form, status=422)
        submission = submit_form(form=web_form, answers=form.cleaned_data, nonce=nonce)
        return redirect("inbox:form-receipt", slug, submission.reference)


def _form(slug: str) -> WebForm:
    return get_object_or_404(
        WebForm.objects.select_related("channel__queue").prefetch_related("fields"), slug=slug, is_active=True
    )


def _page(
    request: HttpRequest, web_form: WebForm, form: AnswerForm, *, status: int = 200, problem: str = ""
) -> HttpResponse:
    is_embedded = "embed" in request.GET
    response = render(
        request,
        "public/form.html",
        {
            "web_form": web_form,
            "form": form,
            "problem": problem,
            "token": new_token(web_form.slug),
            "honeypot": HONEYPOT,
            "is_embedded": is_embedded,
        },
        status=status,
    )
    if is_embedded and web_form.allowed_origins:
        response._csp_update = {"frame-ancestors": list(web_form.allowed_origins)}  # type: ignore[attr-defined]
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
        context = {"web_form": submission.form, "reference": reference, "submitted_at": submission.submitted_at}
        return render(request, "public/form_receipt.html", context)


@login_not_required
@require_safe
def form_thanks(request: HttpRequest, slug: str) -> HttpResponse:
    """What a robot sees: a page like the receipt, with nothing behind it."""
    web_form = _form(slug)
    with translation.override(web_form.language):
        return render(request, "public/form_receipt.html", {"web_form": web_form, "reference": ""})


@login_not_required
@csrf_exempt  # a machine's address: no cookie is read
@require_http_methods(["POST", "OPTIONS"])
def form_json(request: HttpRequest, slug: str) -> HttpResponse:
    """Submit a form as JSON: `{"answers": {key: value}, "idempotency_key": text}` → 201 `{"reference": …}`.

    422 `{"errors": {key: [sentences]}}`, 400 for what is not JSON, 403 for a foreign origin, 413, 429. Files are not
    taken here.
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
    if int(request.headers.get("Content-Length") or 0) > MAX_JSON_BYTES:
        return JsonResponse({"detail": "Too large."}, status=413)
    try:
        content: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        return JsonResponse({"detail": "The body is not JSON."}, status=400)
    answers = content.get("answers") if isinstance(content, dict) else None
    key = content.get("idempotency_key", "") if isinstance(content, dict) else ""
    if not isinstance(answers, dict) or not isinstance(key, str) or not re.fullmatch(r"[\w-]{0,64}", key):
        return JsonResponse({"detail": 'Send {"answers": {…}, "idempotency_key": "…"}.'}, status=400)
    if answers.get(HONEYPOT):
        return JsonResponse({"reference": ""}, status=201)
    form = AnswerForm(web_form, {str(name): value for name, value in answers.items()})
    if not form.is_valid():
        return JsonResponse({"errors": form.errors.get_json_data()}, status=422)
    nonce = f"json-{key}" if key else new_token(web_form.slug)[-40:]
    submission = submit_form(form=web_form, answers=form.cleaned_data, nonce=nonce)
    return JsonResponse({"reference": submission.reference, "next": web_form.receipt_text}, status=201)


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
