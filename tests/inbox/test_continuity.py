"""Continuity of one need: the score of known journeys, and when a patient had to tell the story again."""

from datetime import UTC, datetime, timedelta

import pytest

from inbox.continuity import Contact, Saying, continuity_of

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


def contact(number, channel="sms", agents=(), *said):
    """A contact an hour after the one before; what is said as (whether by us, words), by the first agent."""
    agent = next(iter(agents), None)
    sayings = [
        Saying(START + timedelta(hours=number, minutes=minute), words, is_ours, agent if is_ours else None)
        for minute, (is_ours, words) in enumerate(said)
    ]
    return Contact(channel, frozenset(agents), sayings)


def test_one_contact_with_one_person_is_perfect():
    found = continuity_of([contact(0, "sms", {1}, (False, "When is my visit?"), (True, "On Friday at nine."))])
    assert (found.contacts, found.channels, found.agents, found.repeated, found.score) == (1, 1, 1, [], 100)
    assert found.is_repeated is False


def test_a_journey_over_three_channels_and_agents_has_its_known_score():
    journey = [
        contact(0, "voice", {1}, (True, "Do you take any blood thinner medicine? What is your date of birth?")),
        contact(1, "whatsapp", {2}, (True, "What is your date of birth?"), (False, "I told you already, 3 May 1970.")),
        contact(2, "email", {3}, (True, "Hello. Do you take any blood thinner medicine?")),
    ]
    found = continuity_of(journey)
    assert (found.contacts, found.channels, found.agents, found.says_so) == (3, 3, 3, 1)
    assert found.repeated == ["What is your date of birth?", "Do you take any blood thinner medicine?"]
    assert found.score == 100 - 2 * 4 - 2 * 4 - 2 * 8 - 2 * 15 - 25
    assert found.is_repeated is True


def test_the_order_in_which_contacts_are_given_makes_no_difference():
    journey = [
        contact(1, "sms", {2}, (True, "Which arm hurts you more?")),
        contact(0, "sms", {1}, (True, "Which arm hurts you more?")),
    ]
    assert continuity_of(journey) == continuity_of(journey[::-1])
    assert continuity_of(journey).repeated == ["Which arm hurts you more?"]


def test_asking_back_in_the_same_contact_is_no_repetition():
    found = continuity_of(
        [contact(0, "sms", {1}, (True, "Which arm hurts you more?"), (True, "Sorry, which arm hurts you more?"))]
    )
    assert found.repeated == []


def test_one_question_asked_twice_is_not_yet_a_story_told_again():
    found = continuity_of([contact(n, "sms", {n}, (True, "Which arm hurts you more?")) for n in (1, 2)])
    assert (len(found.repeated), found.is_repeated) == (1, False)


@pytest.mark.parametrize(
    "words",
    [
        "It is the third time I explain the same thing.",
        "I already told your colleague.",
        "Ya lo expliqué dos veces.",
        "Tengo que explicar lo mismo otra vez",
        "Já falei isso para a sua colega",
        "Estou repetindo a mesma coisa",
    ],
)
def test_a_patient_who_says_so_is_heard_in_three_languages(words):
    assert continuity_of([contact(0, "sms", {1}, (False, words))]).is_repeated is True


@pytest.mark.parametrize("words", ["See you again on Friday", "Gracias otra vez", "De novo: obrigada", "I told my son"])
def test_ordinary_words_are_not_taken_for_it(words):
    assert continuity_of([contact(0, "sms", {1}, (False, words))]).is_repeated is False


def test_nothing_at_all_and_a_megabyte_of_text_do_no_harm():
    assert continuity_of([]).score == 100
    long = contact(0, "sms", {1}, (True, "a?" * 500_000), (False, "x" * 1_000_000))
    assert continuity_of([long]).score == 100
    assert continuity_of([contact(n, f"c{n}", {n}) for n in range(30)]).score == 0
