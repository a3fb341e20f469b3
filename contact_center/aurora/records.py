"""Records that are kept twice at Aurora: pairs to decide on, one merge to undo, a list with errors, an opened glass."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date

from contact_center.accounts.models import User
from contact_center.aurora.staff import DOMAIN
from contact_center.jobs import worker
from patients.enums import Sensitivity
from patients.models import Patient
from patients.selectors.matching import forget_rarity
from patients.services import duplicates, glass, importing, merging, records
from patients.services.addresses import NewAddress

LIST = """Record number,Given name,Family name,Birth date,Phone,E-mail
,Camila,Restrepo,1988-04-17,+1 305 555 0161,camila.restrepo@mail.example
,Joaquín,Peña Lillo,1979-11-02,+1 305 555 0162,
,Ruth,,1966-07-30,+1 305 555 0163,ruth@mail.example
,Bernardo,Aguiar,31/31/1990,+1 305 555 0164,
,Teresa,Valdés,2099-01-01,,teresa at mail
{known},{given},{family},{born},,
,Camila,Restrepo,1988-04-17,,camila.r@mail.example
"""


def tell() -> None:
    """Write it down by the services of the product, so that trail, journal and jobs are what they would be."""
    supervisor = User.objects.get(email=f"supervisor@{DOMAIN}")
    agent = User.objects.get(email=f"agent@{DOMAIN}")
    chosen = _people()
    if len(chosen) == 4:
        _second_records(supervisor, chosen)
        _list_with_errors(supervisor, chosen[0])
    _glass(agent)


def _people() -> list[Patient]:
    """Four grown-ups whose birth date is another day of the calendar when day and month are swapped."""
    found = Patient.objects.current().filter(sensitivity=Sensitivity.NONE, deceased_date=None, is_do_not_contact=False)
    fit = found.filter(birth_date__lt=date(2000, 1, 1), birth_date__day__lte=12)
    rows = fit.exclude(given_name__contains=" ").order_by("pk")[:40]
    return [one for one in rows if one.birth_date and one.birth_date.day != one.birth_date.month][:4]


def _second_records(supervisor: User, chosen: list[Patient]) -> None:
    slip, swapped, moved, merged = chosen
    assert moved.birth_date is not None
    other_day = moved.birth_date.replace(month=moved.birth_date.day, day=moved.birth_date.month)
    name = slip.family_name
    letters = f"{name[:1]}{name[2:3]}{name[1:2]}{name[3:]}"
    fresh = [
        _again(supervisor, slip, family_name=letters),
        _again(supervisor, swapped, given_name=swapped.family_name, family_name=swapped.given_name),
        _again(supervisor, moved, birth_date=other_day),
        _again(supervisor, merged, preferred_name=merged.given_name),
    ]
    duplicates.refresh_profiles([one.pk for one in chosen])
    forget_rarity()
    duplicates.compare_records([one.pk for one in fresh])
    forget_rarity()
    merging.merge_patients(actor=supervisor, source_id=fresh[-1].pk, target_id=merged.pk, take=["preferred_name"])


def _again(supervisor: User, patient: Patient, **other: object) -> Patient:
    given = {name: getattr(patient, name) for name in ("given_name", "family_name", "birth_date", "gender", "language")}
    address = NewAddress("email", f"second.{patient.pk}@mail.example")
    return records.create_patient(actor=supervisor, addresses=[address], **given | other)  # type: ignore[arg-type]


def _list_with_errors(supervisor: User, known: Patient) -> None:
    """A list of another house, read and checked: some rows fit, some do not, one person is here already."""
    words = LIST.format(known=known.mrn, given=known.given_name, family=known.family_name, born=known.birth_date)
    made = importing.upload(actor=supervisor, name="north-clinic-patients.csv", file=io.BytesIO(words.encode()))
    importing.check(actor=supervisor, import_id=made.pk, columns=made.columns, settings=made.settings)
    worker.run_jobs()
    importing.settle(made.pk)


def _glass(agent: User) -> None:
    """Opened with a reason, read, and given back: what the privacy officer finds in the trail."""
    protected: Iterable[Patient] = Patient.objects.current().exclude(sensitivity=Sensitivity.NONE).order_by("-pk")
    for patient in protected:
        if patient.birth_date is None:
            continue
        reason = "On the phone: asks whether her papers of Monday arrived"
        glass.break_glass_by_identity(actor=agent, mrn=patient.mrn, birth_date=patient.birth_date, reason=reason)
        records.open_patient_record(agent, patient.pk, "page")
        glass.close_glass(actor=agent, patient_id=patient.pk)
        return
