"""Reading patients: who may see whom, who has this address, who is meant by this text."""

import re
from collections.abc import Callable

from django.conf import settings
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Trim, Upper

from contact_center.accounts.enums import Action, Role
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.rows import fetch_rows
from patients.enums import ContactScheme
from patients.models import Consent, ContactPoint, Patient
from patients.numbers import normalise_email, normalise_phone, phone_variants

MOST_MATCHES = 20
MOST_FOUND = 50
MOST_WORDS = 6
FEWEST_DIGITS = 4
LEAST_LIKENESS = 0.4
Scope = Callable[[User], Q]
_partner_scopes: list[Scope] = []


def register_partner_scope(scope: Scope) -> None:
    """Add a rule by which partner teams see a patient. An app above that gives partners work calls it in `ready()`.

    Without any rule partner teams see nobody.
    """
    if scope not in _partner_scopes:
        _partner_scopes.append(scope)


def patients_visible_to(user: User) -> QuerySet[Patient]:
    """Records this person may open: all current ones, without sensitive ones unless their role allows; for partner
    teams only those whom their work concerns."""
    if not can(user, Action.WORK_INBOX):
        return Patient.objects.none()
    rows = Patient.objects.current()
    if not can(user, Action.VIEW_SENSITIVE):
        rows = rows.filter(is_sensitive=False)
    if user.role == Role.PARTNER_AGENT:
        rows = rows.filter(_in_partner_scope(user))
    return rows


def _in_partner_scope(user: User) -> Q:
    allowed = Q(pk__in=[])
    for scope in _partner_scopes:
        allowed |= scope(user)
    return allowed


def get_patient_for(user: User, pk: int) -> Patient:
    """One visible record with its addresses, relatives and consents. Raises Patient.DoesNotExist, also when hidden.

    Reading it leaves no trace: pages that show a record call `services.open_patient_record` instead.
    """
    related = ["contact_points", "related_persons__relative", "consents"]
    return patients_visible_to(user).prefetch_related(*related).get(pk=pk)


MATCH = (
    "merged_into_id IS NULL AND id IN"
    " (SELECT patient_id FROM patients_contactpoint WHERE scheme = %s AND value = ANY(%s)) ORDER BY id LIMIT %s"
)


def match_patients(scheme: str, value: str) -> list[Patient]:
    """Current patients with this normalised address, under any spelling of the same phone line; oldest first.

    One query, whatever the number of patients. One match may be linked, several must be asked about, none is a new
    person. At most 20 are returned.
    """
    spellings = phone_variants(value) if scheme == ContactScheme.PHONE else (value,)
    return fetch_rows(Patient, MATCH, [scheme, list(spellings), MOST_MATCHES])


def contact_points_visible_to(user: User) -> QuerySet[ContactPoint]:
    """Addresses of the patients this person may open."""
    return ContactPoint.objects.filter(patient__in=patients_visible_to(user))


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


def latest_consents(patient: Patient) -> list[Consent]:
    """The latest word on each purpose and channel kind, in that order; earlier ones are history."""
    rows = patient.consents.order_by("purpose", "channel_kind", "-recorded_at", "-pk")
    return list(rows.distinct("purpose", "channel_kind"))
