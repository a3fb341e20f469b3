"""Questions that are put together once show everybody what the selectors say, and go on doing so as rights change."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from inbox.models import Interaction
from inbox.selectors.interactions import get_interaction_for, interactions_visible_to
from inbox.selectors.lists import Look, first_rows, look_counts, view_rows
from inbox.selectors.pane import view_groups_of, view_of
from tests.factories.care import BreakGlassFactory
from tests.factories.inbox import CaseFactory, InteractionFactory, ReasonFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
KEYS = ("mine", "unassigned", "open", "snoozed", "closed", "done", "drafts")


@pytest.fixture
def vip():
    return PatientFactory(sensitivity="vip")


@pytest.fixture
def desk(agent, partner_agent, sms_channel, partner_queue, other_queue, vip):
    secret = ReasonFactory(is_sensitive=True)
    for fields in (
        {}, {"owner": agent}, {"reason": secret}, {"patient": vip}, {"patient": vip, "owner": agent},
        {"patient": PatientFactory()}, {"queue": other_queue}, {"queue": other_queue, "owner": agent},
        {"queue": partner_queue}, {"queue": partner_queue, "reason": secret}, {"queue": partner_queue, "patient": vip},
        {"queue": partner_queue, "case": CaseFactory(reason=secret)}, {"queue": other_queue, "owner": partner_agent},
        {"status": "closed", "closed_at": timezone.now()}, {"owner": agent, "status": "snoozed"},
    ):  # fmt: skip
        InteractionFactory(channel=sms_channel, **fields)


def told(person):
    """What the lists, the counts and the addresses of conversations show."""
    opened = set()
    for pk in Interaction.objects.values_list("pk", flat=True):
        try:
            opened.add(get_interaction_for(person, pk).pk)
        except Interaction.DoesNotExist:
            continue
    rows, counts = {}, {}
    for key in KEYS:
        look = Look(view_of(person, key))
        page = first_rows(person, look)
        rows[key] = {row.pk for row in page.object_list} if page else set()
        counts[key] = look_counts(person, look)["all"]
    return opened, rows, counts


def meant(person):
    """The same by the selectors themselves."""
    looks = {key: Look(view_of(person, key)) for key in KEYS}
    rows = {key: set(view_rows(person, look).values_list("pk", flat=True)) for key, look in looks.items()}
    counts = {key: None if looks[key].view.is_past else len(rows[key]) for key in KEYS}
    return set(interactions_visible_to(person).values_list("pk", flat=True)), rows, counts


def pane_counts(person):
    return {view.key: view.count for group in view_groups_of(person) for view in group["entries"]}


def shown_right(person):
    """How many conversations they may open, after lists, counts and addresses were found to agree on which."""
    wanted = meant(person)
    assert told(person) == wanted, person.email
    return len(wanted[0])


def test_everybody_is_shown_exactly_what_the_selectors_say(everybody, desk):
    people = [everybody.agent, everybody.partner_agent, everybody.supervisor, everybody.outsider, everybody.auditor]
    assert [shown_right(person) for person in people] == [11, 2, 15, 3, 0]
    assert pane_counts(everybody.agent)["open"] == len(meant(everybody.agent)[1]["open"])


def test_a_protected_patient_is_shown_while_the_glass_is_broken(second_agent, desk, vip):
    before = shown_right(second_agent)
    BreakGlassFactory(user=second_agent, patient=vip)
    assert shown_right(second_agent) == before + 3
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert shown_right(second_agent) == before
