"""Macros: every step through its own verb, the first refusal ends the run, and each outcome is told."""

import pytest
from django.urls import reverse

from contact_center.common.errors import Refused
from inbox.enums import Direction, InteractionStatus
from inbox.models import Macro, Message, Tag
from inbox.services.macros import keep_macro, run_macro
from tests.factories.inbox import DispositionFactory, InteractionFactory, ReasonFactory
from tests.factories.patients import PatientFactory
from tests.factories.writing import CannedReplyFactory, MacroFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(sms_channel, agent):
    patient = PatientFactory(given_name="María")
    return InteractionFactory(channel=sms_channel, owner=agent, patient=patient, contact_value="+13055550123")


@pytest.fixture
def things():
    return {
        "canned": CannedReplyFactory(title="Thanks", body="Thank you, {{ patient.given_name }}."),
        "tag": Tag.objects.create(name="Fasting", slug="fasting"),
        "done": DispositionFactory(name="Answered", is_resolved=True),
    }


def steps(things, *wanted):
    every = {
        "reply": {"do": "reply", "canned": things["canned"].pk},
        "tag": {"do": "tag", "tag": things["tag"].pk},
        "priority": {"do": "priority", "priority": 1},
        "assign": {"do": "assign", "queue": 0},
        "snooze": {"do": "snooze", "hours": 24},
        "close": {"do": "close", "disposition": things["done"].pk},
    }
    return [every[name] for name in wanted]


def run(actor, row, macro, **given):
    results = run_macro(actor=actor, interaction_id=row.pk, macro_id=macro.pk, **given)
    row.refresh_from_db()
    return [(result.words, result.is_done, result.why) for result in results]


def sent():
    return list(Message.objects.filter(direction=Direction.OUTBOUND).values_list("text", flat=True))


def test_all_steps_are_done_in_order(row, agent, things):
    row.reason = ReasonFactory()
    row.save()
    macro = MacroFactory(steps=steps(things, "assign", "reply", "tag", "priority", "close"))
    assert run(agent, row, macro) == [
        ("Assign to me", True, ""),
        ("Reply “Thanks”", True, ""),
        ("Tag “Fasting”", True, ""),
        ("Priority Urgent", True, ""),
        ("Close as “Answered”", True, ""),
    ]
    assert (sent(), list(row.tags.all()), row.priority, row.status) == (
        ["Thank you, María."],
        [things["tag"]],
        1,
        InteractionStatus.CLOSED,
    )


def test_the_first_refusal_ends_the_run_and_what_was_done_stays(row, agent, things):
    macro = MacroFactory(steps=steps(things, "tag", "close", "snooze"))
    assert run(agent, row, macro) == [
        ("Tag “Fasting”", True, ""),
        ("Close as “Answered”", False, "Choose a reason first."),
        ("Snooze for 24 h", False, ""),
    ]
    assert (list(row.tags.all()), row.status) == ([things["tag"]], InteractionStatus.ACTIVE)


def test_nothing_is_put_aside_after_a_reply_with_an_open_variable(row, agent, things):
    things["canned"].body = "On {{ next_visit }}"
    things["canned"].save()
    macro = MacroFactory(steps=steps(things, "reply", "snooze"))
    assert [done for _words, done, _why in run(agent, row, macro)] == [False, False]
    assert (sent(), row.status) == ([], InteractionStatus.ACTIVE)


def test_a_step_whose_object_is_gone_says_so(row, agent, things):
    macro = MacroFactory(steps=[*steps(things, "tag"), {"do": "tag", "tag": 999_999}, {"do": "fly"}])
    results = run(agent, row, macro)
    assert [done for _words, done, _why in results] == [True, False, False]
    assert results[1] == ("A step that does not work any more", False, "What this step needs is not there any more.")


def test_the_same_form_twice_replies_once(row, agent, things):
    macro = MacroFactory(steps=steps(things, "reply"))
    for _ in range(2):
        run(agent, row, macro, form_key="k")
    assert len(sent()) == 1


def test_a_colleague_gets_no_further_than_their_rights(row, second_agent, things):
    macro = MacroFactory(steps=steps(things, "reply", "tag"))
    results = run(second_agent, row, macro)
    assert ([done for _words, done, _why in results], "has taken" in results[0][2], sent()) == (
        [False, False],
        True,
        [],
    )


def test_anothers_macro_and_anothers_conversation_are_not_there(row, agent, second_agent, outsider, things):
    own = MacroFactory(owner=second_agent, steps=steps(things, "tag"))
    with pytest.raises(Macro.DoesNotExist):
        run(agent, row, own)
    with pytest.raises(type(row).DoesNotExist):
        run(outsider, row, MacroFactory(steps=steps(things, "tag")))


@pytest.mark.parametrize("wrong", [[], [{"do": "tag", "tag": 999_999}], [{"do": "fly"}]])
def test_a_macro_is_kept_only_with_steps_that_exist(wrong, agent):
    with pytest.raises(Refused):
        keep_macro(actor=agent, name="x", steps=wrong, owner=agent)


def test_pages_keep_change_switch_and_run_a_macro(signed_in, agent, row, things):
    client = signed_in(agent)
    tag = f"tag:{things['tag'].pk}"
    data = {"name": "Fasting asked", "keeper": "own", "step_0": tag, "step_2": "priority:2"}
    client.post(reverse("inbox:macro-new"), data)
    macro = Macro.objects.get()
    assert (macro.owner, macro.steps) == (
        agent,
        [{"do": "tag", "tag": things["tag"].pk}, {"do": "priority", "priority": 2}],
    )
    page = client.get(reverse("inbox:macros", args=[row.pk]))
    assert page.context["macros"] == [(macro, ["Tag “Fasting”", "Priority High"])]
    ran = client.post(reverse("inbox:macros", args=[row.pk]), {"macro": macro.pk})
    assert (ran.status_code, [result.is_done for result in ran.context["results"]]) == (200, [True, True])
    client.post(reverse("inbox:macro-switch", args=[macro.pk]), {"is_active": "0"})
    assert client.post(reverse("inbox:macros", args=[row.pk]), {"macro": macro.pk}).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field"), [({"name": ""}, "name"), ({"step_0": "tag:9"}, "step_0"), ({"step_0": ""}, "step_0")]
)
def test_a_mistake_is_said_at_its_field(wrong, field, signed_in, agent):
    data = {"name": "x", "keeper": "own", "step_0": "priority:1", **wrong}
    answer = signed_in(agent).post(reverse("inbox:macro-new"), data)
    assert (answer.status_code, list(answer.context["form"].errors), Macro.objects.count()) == (422, [field], 0)
