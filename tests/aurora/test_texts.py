"""The scripts of the demo: the same ones in every language, and nothing left unfilled."""

import random
import re

from contact_center.aurora.clinic import PRACTITIONERS, REASON_WEIGHTS, SERVICES, SITES
from contact_center.aurora.desk import DISPOSITIONS, REASONS
from contact_center.aurora.people import invent
from contact_center.aurora.texts import LANGUAGES, circumstances, filled, scripts
from contact_center.demo import environment
from inbox.selectors.dialling import ORDINARY
from patients.numbers import normalise_email, normalise_phone


def test_every_language_tells_the_same_stories():
    shapes = {
        language: [
            (script.reason, script.disposition, [turn.is_patient for turn in script.turns], bool(script.next_step))
            for told in scripts(language).values()
            for script in told
        ]
        for language in LANGUAGES
    }
    assert shapes["es"] == shapes["en"]
    assert shapes["pt"] == shapes["en"]
    assert set(scripts("en")) == set(REASON_WEIGHTS)


def test_a_script_names_a_known_reason_and_outcome_and_has_a_next_step_unless_resolved():
    reasons = {reason.code for reason in REASONS}
    resolved = {code: is_resolved for code, _name, is_resolved in DISPOSITIONS}
    for language in LANGUAGES:
        for told in scripts(language).values():
            for script in told:
                assert script.reason in reasons
                assert bool(script.next_step) is not resolved[script.disposition]
                assert script.turns[0].is_patient


def test_no_brace_stays_in_a_line():
    rng = random.Random(1)
    for language in LANGUAGES:
        for told in scripts(language).values():
            for script in told:
                values = circumstances(rng, language, first="Ana", site="Brickell", agent="Rosa")
                lines = [script.subject, script.outcome, script.note, script.next_step]
                for line in [*lines, *(turn.text for turn in script.turns)]:
                    assert re.findall(r"[{}]", filled(line, values)) == []


def test_the_clinic_is_as_big_as_it_says():
    assert (len(SITES), len(PRACTITIONERS), len(SERVICES)) == (3, 12, 8)
    assert {one.service for one in PRACTITIONERS} == {one.code for one in SERVICES}


def test_addresses_of_patients_are_in_their_stored_spelling_and_reach_nobody():
    people = invent(3000, random.Random(7))
    assert [one.phone for one in people if one.phone and normalise_phone(one.phone, "US").e164 != one.phone] == []
    assert [one.email for one in people if one.email and normalise_email(one.email) != one.email] == []
    assert [
        one.phone for one in people if one.phone and not re.match(r"\+1\d{3}555\d{4}$|\+442079460\d{3}$", one.phone)
    ] == []
    assert [one.email for one in people if one.email and not one.email.endswith(".example")] == []


def test_the_demo_may_call_everybody_it_seeds():
    numbers = {normalise_phone(one.phone) for one in invent(3000, random.Random(7)) if one.phone}
    assert {one.type for one in numbers} <= ORDINARY
    assert {one.country for one in numbers} == set(environment(0)["CALL_COUNTRIES"].split(","))


def test_families_share_a_phone_and_nobody_else_does():
    people = invent(3000, random.Random(7))
    by_phone: dict[str, list] = {}
    for person in people:
        if person.phone:
            by_phone.setdefault(person.phone, []).append(person)
    shared = [group for group in by_phone.values() if len(group) > 1]
    assert {person.is_shared for group in shared for person in group} == {True}
    assert [group for group in shared if not all(person.relatives for person in group)] == []
    assert 200 < sum(len(group) for group in shared) < 1000
