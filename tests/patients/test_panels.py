"""Panels that apps add beside a conversation."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from patients import panels
from patients.models import Consent
from tests.factories.inbox import InteractionFactory
from tests.factories.patients import ConsentFactory, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def extra():
    made = panels.Panel("extra", "Extra", "inbox:panel-consents", 5, lambda user, patient: user.role == "supervisor")
    panels.register(made)
    yield made
    panels.withdraw("extra")


def test_panels_stand_in_order_for_those_who_may_see_them(extra, agent, supervisor):
    patient = PatientFactory()
    keys = {
        person.role: [panel["key"] for panel in panels.panels_for(person, patient)] for person in (agent, supervisor)
    }
    assert [key for key in keys["supervisor"] if key != "extra"] == keys["agent"]
    order = ["next", "consents", "pending", "programs", "continuity", "life", "coverage"]
    assert [key for key in keys["agent"] if key in order] == order
    assert keys["supervisor"].index("extra") == 1


def test_a_panel_is_loaded_by_its_own_request_beside_the_conversation(agent, sms_channel, signed_in):
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())
    address = reverse("inbox:panel-consents", args=[row.patient_id])
    page = signed_in(agent).get(reverse("inbox:side", args=[row.pk])).content.decode()
    assert page.count(f'hx-get="{address}"') == 1


def test_the_latest_word_on_each_purpose_is_shown(agent, signed_in):
    patient = PatientFactory()
    for days, status in ((9, "granted"), (2, "withdrawn")):
        at = timezone.now() - timedelta(days=days)
        ConsentFactory(patient=patient, purpose="surveys", channel_kind="sms", status=status, recorded_at=at)
    page = signed_in(agent).get(reverse("inbox:panel-consents", args=[patient.pk])).content.decode()
    said = re.findall(r'<td>.*?<span class="vh">(.*?)</span></td>', page.partition("Surveys")[2].partition("</tr>")[0])
    assert said == ["Nothing said", "Withdrawn", "Nothing said", "Nothing said"]
    assert Consent.objects.count() == 2
