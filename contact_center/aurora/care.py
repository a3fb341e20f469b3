"""What the clinic knows and expects of its patients: programs, alerts, results, coverage, and one broken glass."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, F
from django.db.models.functions import Cast
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.aurora.staff import DOMAIN
from patients.enums import AlertKind, AlertSeverity, EnrolmentStatus, PendingKind, PendingStatus, Sensitivity
from patients.models import (
    Alert,
    BreakGlass,
    CareProgram,
    Coverage,
    LifeEvent,
    Patient,
    PendingResult,
    ProgramEnrolment,
    ProgramStep,
    StepCompletion,
)

MOST = 3_000
"""Beyond so many patients only these have a file like this; the rest of a great clinic would add nothing to see."""
PROGRAMS = (
    ("Type 2 diabetes, first year", "Newly diagnosed adults", [
        ("Welcome call", 3), ("Nurse visit", 14), ("Eye screening", 30), ("Month 3 call", 60), ("Month 6 visit", 90),
    ]),
    ("After a hip operation", "From discharge on", [
        ("Call on the second day", 2), ("Wound check", 8), ("Physiotherapy begun", 10), ("Six-week visit", 30),
    ]),
    ("Pregnancy follow-up", "From the first visit on", [
        ("First ultrasound", 14), ("Blood tests", 21), ("Second ultrasound", 60), ("Birth plan", 60),
    ]),
)  # fmt: skip
ALERTS = (
    (AlertKind.SAFETY, AlertSeverity.DANGER, "Allergic to contrast medium", None),
    (AlertKind.COMMUNICATION, AlertSeverity.WARNING, "Hard of hearing: speak slowly, confirm in writing", None),
    (AlertKind.ACCESS, AlertSeverity.INFO, "Comes with a wheelchair, needs the ramp entrance", None),
    (AlertKind.TRUST, AlertSeverity.DANGER, "Trust at risk: missed a visit because of our advice", 45),
    (AlertKind.CLINICAL, AlertSeverity.WARNING, "Takes metformin: ask before contrast", None),
    (AlertKind.COMMUNICATION, AlertSeverity.INFO, "Prefers short messages without numbers", 120),
    (AlertKind.OTHER, AlertSeverity.WARNING, "Afraid of closed spaces: offer the calm-room visit", None),
)  # fmt: skip
PAYERS = (("Sunshine Health", "Silver"), ("Florida Blue", "Options"), ("Medicare", "Part B"), ("Aetna", "Open access"))
RESULTS = ("MRI of the lower back", "Blood count", "Thyroid test", "Chest X-ray", "Urine culture")
AUTHORISATIONS = ("MRI with contrast", "Physiotherapy, 12 sessions", "Sleep study")
LIFE = (
    "Her sister died in spring",
    "New grandchild, Mateo",
    "Moved in with his son",
    "Started night shifts",
    "Retired",
)


def tell(now: datetime) -> None:
    """Write it down in the caller's transaction, the same for the same patients."""
    programs = [_program(*given) for given in PROGRAMS]
    staff = list(User.objects.filter(email__endswith=f"@{DOMAIN}", role__in=["agent", "clinical_agent"]).order_by("pk"))
    busy = Patient.objects.filter(interactions__closed_at=None, interactions__isnull=False).order_by("pk").distinct()
    chosen = list(dict.fromkeys([*busy[:300], *Patient.objects.order_by("pk")[:MOST]]))
    today = timezone.localdate(now)
    for patient in chosen:
        _file(patient, random.Random(patient.pk * 7_919), staff, programs, today)
    _store()
    _broken_glass(staff, now)


def _program(name: str, whom: str, steps: list[tuple[str, int]]) -> tuple[CareProgram, list[ProgramStep]]:
    program = CareProgram.objects.create(name=name, description=whom)
    rows = [
        ProgramStep(program=program, position=n, title=title, days=days) for n, (title, days) in enumerate(steps, 1)
    ]
    return program, ProgramStep.objects.bulk_create(rows)


_kept: dict[type, list[Any]] = {}


def _keep(row: object) -> None:
    _kept.setdefault(type(row), []).append(row)


def _store() -> None:
    for model in (Alert, Coverage, LifeEvent, PendingResult, ProgramEnrolment, StepCompletion):
        model.objects.bulk_create(_kept.pop(model, []), batch_size=1000)  # type: ignore[attr-defined]
    for model, day in ((Alert, "starts_date"), (PendingResult, "requested_date"), (ProgramEnrolment, "started_date")):
        model.objects.update(created_at=Cast(F(day), DateTimeField()))  # type: ignore[attr-defined]
    Coverage.objects.exclude(valid_from_date=None).update(created_at=Cast(F("valid_from_date"), DateTimeField()))
    _kept.clear()


def _file(patient: Patient, rng: random.Random, staff: list[User], programs: list, today: date) -> None:  # type: ignore[type-arg]
    owner = rng.choice(staff)
    if rng.random() < 0.24:
        for kind, severity, text, days in rng.sample(ALERTS, rng.choice((1, 1, 2, 3))):
            since = today - timedelta(days=rng.randrange(1, 80))
            until = today + timedelta(days=days) if days else None
            _keep(Alert(
                patient=patient, kind=kind, severity=severity, text=text, starts_date=since, expires_date=until,
                created_by=owner,
            ))  # fmt: skip
    if rng.random() < 0.7:
        payer, plan = rng.choice(PAYERS)
        begun = date(today.year - rng.choice((0, 1, 2)), 1, 1)
        _keep(Coverage(
            patient=patient, payer=payer, plan=plan, member_number=f"{payer[:2].upper()}{rng.randrange(10**8):08d}",
            valid_from_date=begun, valid_until_date=date(today.year + 1, 12, 31) if rng.random() < 0.6 else None,
        ))  # fmt: skip
    if rng.random() < 0.12:
        day = today - timedelta(days=rng.randrange(20, 400))
        _keep(LifeEvent(patient=patient, text=rng.choice(LIFE), happened_date=day, recorded_by=owner))
    if rng.random() < 0.14:
        _pending(patient, rng, owner, today)
    if rng.random() < 0.12:
        _enrolment(patient, rng, owner, rng.choice(programs), today)


def _pending(patient: Patient, rng: random.Random, owner: User, today: date) -> None:
    is_result = rng.random() < 0.6
    asked = today - timedelta(days=rng.randrange(1, 12))
    has_come = rng.random() < 0.3
    _keep(PendingResult(
        patient=patient, kind=PendingKind.RESULT if is_result else PendingKind.AUTHORISATION,
        title=rng.choice(RESULTS if is_result else AUTHORISATIONS), requested_date=asked, owner=owner,
        expected_date=asked + timedelta(days=rng.randrange(2, 16)),
        status=PendingStatus.ARRIVED if has_come else PendingStatus.WAITING,
        arrived_at=timezone.now() - timedelta(hours=rng.randrange(1, 40)) if has_come else None,
    ))  # fmt: skip


def _enrolment(patient: Patient, rng: random.Random, owner: User, program: tuple, today: date) -> None:  # type: ignore[type-arg]
    course, steps = program
    done = rng.randrange(len(steps))
    began = today - timedelta(days=sum(step.days for step in steps[: done + 1]) + rng.randrange(-4, 4))
    row = ProgramEnrolment(
        patient=patient, program=course, status=EnrolmentStatus.ACTIVE, step=steps[done], owner=owner,
        step_due_date=today + timedelta(days=rng.randrange(-3, 15)), started_date=min(began, today),
    )  # fmt: skip
    _keep(row)
    for number, step in enumerate(steps[:done]):
        at = timezone.now() - timedelta(days=12 * (done - number))
        _keep(StepCompletion(enrolment=row, step=step, done_at=at, done_by=owner))


def _broken_glass(staff: list[User], now: datetime) -> None:
    protected = Patient.objects.exclude(sensitivity=Sensitivity.NONE).order_by("pk").first()
    if protected is not None and staff:
        began = now - timedelta(hours=5)
        BreakGlass.objects.create(
            user=staff[0], patient=protected, reason="Called about her blood test, callback promised today",
            expires_at=began + timedelta(hours=1), ended_at=began + timedelta(minutes=12),
        )  # fmt: skip
