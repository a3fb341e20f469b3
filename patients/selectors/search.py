"""Finding the patients who are meant by a text."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from django.conf import settings
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Trim, Upper
from django.utils import timezone

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action, Role
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditEntry
from contact_center.common.prepared import Given, Prepared, give
from patients.enums import ContactScheme
from patients.models import ContactPoint, Patient
from patients.numbers import normalise_email, normalise_phone, phone_variants
from patients.selectors.people import patients_visible_to, points_of_many

MOST_FOUND = 50
RECENT, LOOKED_BACK = 20, 400
MOST_WORDS = 6
FEWEST_DIGITS = 4
LEAST_LIKENESS = 0.4
Question = Callable[[User, int, Sequence[str | Given], str | Given], QuerySet[Patient]]


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
    return _with_addresses(_found(user, text, limit))


def _found(user: User, text: str, limit: int) -> list[Patient]:
    if not can(user, Action.WORK_INBOX):
        return []
    if any(char.isdigit() or char == "@" for char in text):
        return _found_by_number(user, text, limit)
    words = text.split()[:MOST_WORDS]
    found = _ask(user, _named, limit, words)
    return found if found or len(text) < 4 else _spelled_like(user, words, text, limit)


def _found_by_number(user: User, text: str, limit: int) -> list[Patient]:
    rows = patients_visible_to(user)
    numbered: list[Patient] = []
    if any(char.isdigit() for char in text):
        numbered = list(rows.alias(number=Upper("mrn")).filter(number=text.upper()))
    if numbered and not text.isdecimal():
        return numbered
    found = rows.filter(_meant_by(text)).order_by("family_name", "given_name", "pk")[:limit]
    return [*numbered, *(patient for patient in found if patient not in numbered)][:limit]


def _with_addresses(found: list[Patient]) -> list[Patient]:
    give({patient.pk: patient for patient in found}, "contact_points", "patient_id", points_of_many())
    return found


def _ask(user: User, build: Question, limit: int, words: list[str], text: str = "") -> list[Patient]:
    """What `build` asks. Whom partner teams see is said by the apps that give them work, so theirs is no prepared
    question."""
    if user.role == Role.PARTNER_AGENT:
        return list(build(user, limit, words, text))
    return _prepared(build, user.role, limit, len(words)).ask(user.pk, [], timezone.now(), text, *words)


@lru_cache(maxsize=64)
def _prepared(build: Question, role: str, limit: int, count: int) -> Prepared[Patient]:
    """After the asker the text and so many words."""
    words = [Given(Asker.NEXT + 1 + place) for place in range(count)]
    return Prepared(build(asker(role), limit, words, Given(Asker.NEXT)))


def _named(user: User, limit: int, words: Sequence[str | Given], _text: str | Given) -> QuerySet[Patient]:
    return patients_visible_to(user).filter(_in_name(words)).order_by("family_name", "given_name", "pk")[:limit]


def _alike(user: User, limit: int, words: Sequence[str | Given], text: str | Given) -> QuerySet[Patient]:
    alike = [Q(search_name__trigram_word_similar=_search_key(word)) for word in words]
    likeness = TrigramWordSimilarity(_search_key(text), F("search_name"))  # type: ignore[arg-type]  # not only str
    return patients_visible_to(user).filter(*alike).order_by(likeness.desc(), "family_name", "pk")[:limit]


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
    return _in_name(text.split()[:MOST_WORDS])


def _in_name(words: Sequence[str | Given]) -> Q:
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


def _search_key(text: str | Given) -> Trim:
    """The text as names are stored for searching: lower case, without accents."""
    said = text if isinstance(text, Given) else Value(text)
    return Trim(Func(said, Value(""), function="continuo_search_name", output_field=TextField()))


def _spelled_like(user: User, words: list[str], text: str, limit: int) -> list[Patient]:
    """Those with all words much alike; where there are none, those with the longest word alike."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        # What the index looks for; the server's own threshold misses two letters that changed places.
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(LEAST_LIKENESS)])
        for wanted in (words, [max(words, key=len)]):
            found = _ask(user, _alike, limit, wanted, text)
            if found or len(words) == 1:
                return found
    return []
