"""Whom one can play: the clinic's own patients, where there are any, and whoever wrote before."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import django
from asgiref.sync import sync_to_async

from contact_center.simulator.store import Store

SHOWN = 40
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Person:
    """Somebody with a phone. `phone` is E.164 or a WhatsApp user id."""

    name: str
    phone: str = ""
    email: str = ""
    language: str = ""

    @property
    def initials(self) -> str:
        """Two letters for the picture."""
        parts = [part for part in self.name.split() if part[:1].isalpha()]
        return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper() or "#"


async def people_found(store: Store, query: str) -> list[Person]:
    """Who wrote last, then patients by name or number; without a query, the first patients."""
    patients = await _patients(query.strip())
    by_phone = {person.phone: person for person in patients if person.phone}
    recent = [phone for phone in _recent_phones(store) if not query or query in phone]
    known = {person.phone: person for person in await _patients_at(recent)}
    first = [known.get(phone) or by_phone.get(phone) or Person(phone, phone) for phone in recent]
    return (first + [person for person in patients if person.phone not in recent or not person.phone])[:SHOWN]


async def person_at(phone: str, email: str) -> Person | None:
    """The one patient with this address; None for nobody or several."""
    found = await _patients_at([phone] if phone else [], [email.lower()] if email else [])
    return found[0] if len({person.name for person in found}) == 1 else None


def _recent_phones(store: Store) -> list[str]:
    rows = store.rows(
        "SELECT CASE direction WHEN 'inbound' THEN sender ELSE recipient END AS theirs, max(id) AS latest"
        " FROM (SELECT * FROM message ORDER BY id DESC LIMIT 500) GROUP BY theirs ORDER BY latest DESC LIMIT 12"
    )
    phones = (row["theirs"].removeprefix("whatsapp:") for row in rows)
    return list(dict.fromkeys(phone for phone in phones if phone))


async def _patients(query: str) -> list[Person]:
    return await _asked(_read_patients, query)


async def _patients_at(phones: list[str], emails: list[str] | None = None) -> list[Person]:
    return await _asked(_read_patients_at, phones, emails or []) if phones or emails else []


async def _asked(reader: Any, *arguments: Any) -> list[Person]:
    """Patients from the product's database; none where there is no database: one can still type a number."""
    try:
        await sync_to_async(django.setup)()  # 50 MB that only who looks for somebody needs; at once the second time
        found: list[Person] = await sync_to_async(reader)(*arguments)
    except Exception as error:
        _log.info("patients cannot be read", extra={"error": type(error).__name__})
        return []
    return found


def _read_patients(query: str) -> list[Person]:
    from django.db.models import Exists, OuterRef, Q

    from patients.models import ContactPoint, Patient

    points = ContactPoint.objects.filter(patient=OuterRef("pk"))
    found = Patient.objects.current().filter(Exists(points))
    for word in query.split()[:4]:
        found = found.filter(Q(search_name__icontains=word.lower()) | Exists(points.filter(value__icontains=word)))
    return _persons(found.order_by("id")[:SHOWN])


def _read_patients_at(phones: list[str], emails: list[str]) -> list[Person]:
    from patients.models import Patient

    found = Patient.objects.current().filter(contact_points__value__in=[*phones, *emails]).distinct()
    return _persons(found.order_by("id")[:SHOWN])


def _persons(found: Any) -> list[Person]:
    from django.db import connection

    try:
        persons = []
        for patient in found.prefetch_related("contact_points"):
            points = {point.scheme: point.value for point in reversed(patient.contact_points.all())}
            phone = points.get("phone") or points.get("whatsapp_user_id", "")
            persons.append(Person(patient.full_name, phone, points.get("email", ""), patient.language))
        return persons
    finally:
        connection.close()
