"""New work goes to its queue by the first rule that fits, and the record says why."""

import pytest

from inbox.enums import ChannelKind, HoursState, Priority
from inbox.models import RoutingRun, RuleSkill, WorkSkill
from inbox.queue_rules import Facts, Rule, route
from tests.factories.accounts import SkillFactory
from tests.factories.care import EnrolmentFactory
from tests.factories.distribution import RoutingRuleFactory
from tests.factories.patients import ContactPointFactory, PatientFactory

FACTS = Facts(1, "sms", 5, "es", Priority.NORMAL, frozenset({7}), True)


@pytest.mark.parametrize(
    ("conditions", "missed"),
    [
        ({}, ""),
        ({"channel_ids": frozenset({1})}, ""),
        ({"channel_ids": frozenset({2})}, "number"),
        ({"channel_kinds": frozenset({"email"})}, "channel"),
        ({"reason_ids": frozenset({6})}, "reason"),
        ({"reason_ids": frozenset({5, 6})}, ""),
        ({"languages": frozenset({"pt"})}, "language"),
        ({"priorities": frozenset({Priority.URGENT})}, "priority"),
        ({"program_ids": frozenset({8})}, "program"),
        ({"program_ids": frozenset({7, 8})}, ""),
        ({"hours": HoursState.CLOSED}, "hours"),
        ({"hours": HoursState.OPEN}, ""),
    ],
)
def test_every_condition_is_asked(conditions, missed):
    assert Rule(1, "", 9, **conditions).misses(FACTS) == missed


def test_the_first_that_fits_counts_and_what_was_passed_over_is_told():
    rules = [Rule(1, "A", 9, hours=HoursState.CLOSED), Rule(2, "B", 8), Rule(3, "C", 7)]
    assert route(rules, FACTS) == (rules[1], [(1, "hours")])
    assert route(rules[:1], FACTS) == (None, [(1, "hours")])


@pytest.mark.django_db
def test_a_message_goes_where_its_rule_says_with_priority_skills_and_record(
    patient_writes, sms_channel, clinical_queue, queue
):
    patient = PatientFactory(language="es")
    ContactPointFactory(patient=patient, scheme="phone", value="+13055550123")
    program, spanish = EnrolmentFactory(patient=patient).program, SkillFactory()
    first = RoutingRuleFactory(name="Mail", position=1, channel_kinds=[ChannelKind.EMAIL], queue=queue)
    rule = RoutingRuleFactory(
        name="Program", position=2, languages=["es"], queue=clinical_queue, priority=Priority.HIGH
    )
    rule.programs.set([program])
    RuleSkill.objects.create(rule=rule, skill=spanish, level=2, relax_seconds=60)
    work = patient_writes("Hola", to=sms_channel)
    assert (work.queue, work.priority) == (clinical_queue, Priority.HIGH)
    run = RoutingRun.objects.get()
    assert (run.interaction, run.rule, run.passed_over) == (work, rule, [[first.pk, "channel"]])
    assert list(WorkSkill.objects.values_list("interaction", "skill", "level", "relax_seconds")) == [
        (work.pk, spanish.pk, 2, 60)
    ]


@pytest.mark.django_db
def test_without_rules_nothing_is_kept_and_the_channels_queue_holds(patient_writes, sms_channel, queue):
    assert (patient_writes("Hello", to=sms_channel).queue, RoutingRun.objects.count()) == (queue, 0)
