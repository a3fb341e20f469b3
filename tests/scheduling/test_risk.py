"""The no-show risk: explained, calibrated, and without a look into the future."""

import math
import random
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from scheduling import risk
from scheduling.models import Appointment, RiskModel
from scheduling.risk import Facts, assess, expected_missed, learn, quality, values_of
from scheduling.selectors.risk import facts_of, risks_of
from scheduling.services.risk import train
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import AppointmentFactory


def test_until_something_is_learnt_plain_rules_say_why():
    found = assess(values_of(Facts(lead_days=40, age=25, weekday=1, hour=9, missed=2)))
    assert [(name, value) for name, value, _points in found.reasons] == [
        ("missed", "2"), ("lead", "30"), ("age", "23"),
    ]  # fmt: skip
    assert (found.percent, found.level, found.action, found.is_learnt) == (43, "high", "call", False)
    calm = assess(values_of(Facts(lead_days=0, age=70, weekday=1, hour=9, answer="confirmed")))
    assert (calm.percent, calm.action, calm.reasons) == (1, "none", [])
    assert expected_missed({1: found, 2: calm}) == pytest.approx(found.share + calm.share)


def test_learning_finds_what_matters_and_says_likelihoods_that_come_true():
    chance = random.Random(1)
    rows, missed = [], []
    for _number in range(3000):
        lead, past = chance.choice([0, 10, 40]), chance.choice([0, 0, 0, 2])
        rows.append(values_of(Facts(lead, 40, 1, 9, missed=past, site=chance.choice("ab"))))
        missed.append(chance.random() < 0.05 + 0.01 * lead * 0.5 + 0.15 * past)
    terms = learn(rows[:2000], missed[:2000])
    found = quality([assess(row, terms).share for row in rows[2000:]], missed[2000:])
    assert (found.auc > 0.7, found.calibration_error < 0.05) == (True, True)
    assert terms == learn(rows[:2000], missed[:2000])
    with pytest.raises(ValueError, match="same way"):
        learn(rows[:5], [True] * 5)


def test_quality_is_measured_as_it_is_defined():
    found = quality([0.1, 0.2, 0.2, 0.9, 0.8], [False, False, True, True, True])
    assert (found.auc, found.top_fifth, found.missed) == (pytest.approx(5.5 / 6), pytest.approx(1 / 3), 3)
    assert math.isnan(quality([], []).auc)


@pytest.mark.django_db
def test_only_what_was_known_when_a_visit_was_booked_counts(time_machine):
    time_machine.move_to("2026-03-02 17:00Z", tick=False)  # noon at the clinic
    now, patient = timezone.now(), PatientFactory(birth_date=date(1990, 1, 1))
    early = AppointmentFactory(patient=patient, starts_at=now - timedelta(days=60))
    late = AppointmentFactory(patient=patient, starts_at=now - timedelta(days=10))
    for one in (early, late):
        stored = Appointment.objects.get(pk=one.pk)
        stored.miss()
        stored.save()
    past = AppointmentFactory(patient=patient, starts_at=now - timedelta(days=5))
    Appointment.objects.filter(pk=past.pk).update(created_at=now - timedelta(days=30))
    ahead = AppointmentFactory(patient=patient, starts_at=now + timedelta(days=5))
    visits = list(Appointment.objects.filter(pk__in=[past.pk, ahead.pk]).select_related("patient", "location"))
    facts = facts_of(visits)
    assert (facts[past.pk].missed, facts[past.pk].lead_days, facts[ahead.pk].missed) == (1, 25, 2)
    assert risks_of(visits)[ahead.pk].is_learnt is False


@pytest.mark.django_db
def test_the_command_learns_measures_on_the_newest_and_keeps_the_card(monkeypatch, capsys):
    with pytest.raises(CommandError, match="too few"):
        call_command("train_noshow_risk")
    monkeypatch.setattr("scheduling.services.risk.ENOUGH_VISITS", 30)
    monkeypatch.setattr("scheduling.services.risk.ENOUGH_MISSED", 5)
    monkeypatch.setattr("scheduling.services.risk.LEAST_IN_GROUP", 3)
    monkeypatch.setattr(risk, "ROUNDS", 20)
    patient, first = PatientFactory(birth_date=date(1980, 1, 1)), AppointmentFactory()
    now, visits = timezone.now(), []
    for number in range(40):
        at = now - timedelta(days=50 - number)
        visit = Appointment(
            patient=patient, service=first.service, practitioner=first.practitioner, location=first.location,
            starts_at=at, ends_at=at + timedelta(minutes=30), visit_date=at.date(),
        )  # fmt: skip
        visit.miss() if number % 3 == 0 else visit.arrive()
        if visit.status == "arrived":
            visit.fulfil()
        visits.append(visit)
    Appointment.objects.bulk_create(visits)
    model = train(is_activated=False)
    assert (model.visits, model.is_active) == (40, False)
    assert model.card["learnt_from"][1] < model.card["measured_on"][0]
    assert model.card["learnt_from"][2] + model.card["measured_on"][2] == 40
    assert set(model.card["groups"]) == {
        "age from 18",
        f"sex {patient.gender or 'unknown'}",
        f"site {first.location_id}",
    }
    assert RiskModel.objects.filter(is_active=True).count() == 0
