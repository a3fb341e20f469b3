"""Finding the patients who are meant by a text."""

import re

from django.conf import settings
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Trim, Upper

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditEntry
from patients.enums import ContactScheme
from patients.models import ContactPoint, Patient
from patients.numbers import normalise_email, normalise_phone, phone_variants
from patients.selectors.people import patients_visible_to

MOST_FOUND = 50
RECENT, LOOKED_BACK = 20, 400
MOST_WORDS = 6
FEWEST_DIGITS = 4
LEAST_LIKENESS = 0.4


def search_patients(user: User, text: str, limit: int = 20) -> list[Patient]:
    """Visible patients meant by `text`: part of a name without regard to accents and order, a phone number or part of
    it in any spelling, an e-mail address, or a record number. A handful of queries, whatever is found.

    When nothing has the words of a name in it, names that are spelled much like it are returned, likest first.
    `limit` is held to 50. Pages and the API call `services.search_records`, which also leaves the trace.
    """
    text = text.replace("\x00", "").strip()[:200]
    limit = max(1, min(limit, MOST_FOUND))
    if len(text) < 2:
        return []
    rows = patients_visible_to(user).prefetch_related("contact_points")
    numbered: list[Patient] = []
    if any(char.isdigit() for char in text):
        numbered = list(rows.alias(number=Upper("mrn")).filter(number=text.upper()))
    if numbered and not text.isdecimal():
        return numbered
    found = list(rows.filter(_meant_by(text)).order_by("family_name", "given_name", "pk")[:limit])
    found = [*numbered, *(patient for patient in found if patient not in numbered)][:limit]
    if found or len(text) < 4 or any(char.isdigit() or char == "@" for char in text):
        return found
    return _spelled_like(rows, text, limit)


def recently_opened_by(user: User) -> list[Patient]:
    """The records this person opened last, of those they still may open, the latest first. Two queries."""
    views = AuditEntry.objects.filter(actor=user, action=AuditAction.VIEWED).exclude(patient_id=None)
    latest = views.order_by("-occurred_at").values_list("patient_id", flat=True)[:LOOKED_BACK]
    ids = list(dict.fromkeys(latest))[: 2 * RECENT]
    rows = patients_visible_to(user).prefetch_related("contact_points").in_bulk(ids)
    return [rows[pk] for pk in ids if pk in rows][:RECENT]


def _meant_by(text: str) -> Q:
    if "@" in text:
        return _has_point(ContactScheme.EMAIL, value__startswith=normalise_email(text) or text.lower())
    digits = re.sub(r"\D", "", text)
    if len(digits) >= FEWEST_DIGITS and not re.search(r"[a-zA-Z]{2,}", text.lower().removeprefix("whatsapp:")):
        return _phone_meant_by(text, digits)
    words = text.split()[:MOST_WORDS]
    return Q(*[Q(search_name__contains=_search_key(word)) for word in words])


def _phone_meant_by(text: str, digits: str) -> Q:
    phone = normalise_phone(text, settings.DEFAULT_PHONE_REGION)
    meant = _has_point(ContactScheme.PHONE, value__contains=_significant(digits))
    if phone and phone.is_valid:
        meant |= _has_point(ContactScheme.PHONE, value__in=phone_variants(phone.e164))
    return meant


def _significant(digits: str) -> str:
    """Without the zeros that are dialled at home only, unless hardly anything were left."""
    bare = digits.lstrip("0")
    return bare if len(bare) >= FEWEST_DIGITS else digits


def _has_point(scheme: str, **condition: object) -> Q:
    return Q(pk__in=ContactPoint.objects.filter(scheme=scheme, **condition).values("patient_id"))


def _search_key(text: str) -> Trim:
    """The text as names are stored for searching: lower case, without accents."""
    key = Func(Value(text), Value(""), function="continuo_search_name", output_field=TextField())
    return Trim(key)


def _spelled_like(rows: QuerySet[Patient], text: str, limit: int) -> list[Patient]:
    """Those with all words much alike; where there are none, those with the longest word alike."""
    words = text.split()[:MOST_WORDS]
    likeness = TrigramWordSimilarity(_search_key(text), F("search_name"))  # type: ignore[arg-type]  # not only str
    with transaction.atomic(), connection.cursor() as cursor:
        # What the index looks for; the server's own threshold misses two letters that changed places.
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(LEAST_LIKENESS)])
        for wanted in (words, [max(words, key=len)]):
            alike = Q(*[Q(search_name__trigram_word_similar=_search_key(word)) for word in wanted])
            found = list(rows.filter(alike).order_by(likeness.desc(), "family_name", "pk")[:limit])
            if found or len(words) == 1:
                return found
    return []
