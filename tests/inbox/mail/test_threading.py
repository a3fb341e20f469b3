# ruff: noqa: E501 - samples of mail stay on one line
"""Which conversation a reply belongs to, and when it starts a new one."""

import pytest

from inbox.mail import tokens
from inbox.mail.parse import parse_mail
from inbox.mail.threading import is_new_topic, normalise_subject, thread_candidates
from tests.inbox.mail.mails import mail

KEY = b"k" * 32


def test_the_answered_mail_comes_first_then_the_whole_chain_from_the_newest():
    raw = mail(In_Reply_To="<c@x>", References="<root@x> <a@x> <b@x> <c@x> <q1@patient.example>")
    assert thread_candidates(parse_mail(raw)) == ["c@x", "b@x", "a@x", "root@x"]


def test_references_alone_are_enough():
    assert thread_candidates(parse_mail(mail(References="<a@x>,<b@x>"))) == ["b@x", "a@x"]
    assert thread_candidates(parse_mail(mail())) == []


def test_text_around_the_answered_id_does_not_hide_it():
    assert thread_candidates(parse_mail(mail(In_Reply_To="Message of Mon <a@x> by Care"))) == ["a@x"]


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Cita del lunes", "RE: RE: FW: Cita del lunes", "RV: Cita del lunes", "RES: Cita del lunes",
        "ENC: Cita del lunes", "AW: Cita del lunes", "Antw: Cita del lunes", "WG: Cita del lunes", "TR: Cita del lunes",
        "Rif: Cita del lunes", "SV: Cita del lunes", "Odp: Cita del lunes", "Re[2]: Cita del lunes", "Re^3: Cita del lunes",
        "[EXTERNAL] Re: Cita del lunes", "回复：Cita del lunes", "  re :  cita   DEL lunes.  ", "Re: Cita del lunes [Case#1234]",
        "Automatic reply: Cita del lunes", "Respuesta automática: Cita del lunes",
    ],
)  # fmt: skip
def test_reply_prefixes_of_all_languages_leave_the_same_topic(subject):
    assert normalise_subject(subject) == "cita del lunes"
    assert not is_new_topic(subject, "Cita del lunes")


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ("Invoice 77", "Appointment on Monday", True),
        ("Re: Invoice 77", "Appointment on Monday", True),
        ("", "Appointment on Monday", False),
        ("Re:", "Appointment on Monday", False),
        ("Invoice", "", False),
        ("URGENT: Appointment on Monday", "Appointment on Monday", False),
        ("Rest", "Restaurant", True),
        ("Re: " * 5000 + "Appointment on Monday", "Appointment on Monday", True),
    ],
)
def test_a_new_topic_on_an_old_thread_is_noticed(new, old, expected):
    assert is_new_topic(new, old) is expected


def test_a_token_names_its_interaction_only_with_its_key():
    token = tokens.sign(123456, KEY)
    assert tokens.verify(token, KEY) == 123456
    assert tokens.verify(token.upper(), KEY) == 123456
    assert tokens.verify(token, b"x" * 32) is None
    assert len(token) <= 30


@pytest.mark.parametrize("position", range(22))
def test_no_changed_token_is_believed(position):
    token = tokens.sign(123456, KEY)
    if position < len(token):
        changed = token[:position] + ("a" if token[position] != "a" else "b") + token[position + 1 :]
        assert tokens.verify(changed, KEY) is None


@pytest.mark.parametrize(
    "token", ["", "-", "2n9c-", "zz-zzzzzzzzzzzzzzzz", "é-aaaaaaaaaaaaaaaa", "1" * 5000, "²-aaaaaaaaaaaaaaaa"]
)
def test_garbage_is_no_token(token):
    assert tokens.verify(token, KEY) is None


def test_the_reply_address_and_the_message_id_carry_the_token():
    address = tokens.reply_address("care@aurora.test", 42, KEY)
    message_id = tokens.outgoing_message_id("7b1c", 42, KEY, "aurora.test")
    assert address.partition("+")[0] == "care"
    assert tokens.find_interaction(["other@aurora.test", address.upper()], [], KEY) == 42
    assert tokens.find_interaction([], [message_id], KEY) == 42
    assert tokens.find_interaction(["care+r-1-aaaaaaaaaaaaaaaa@aurora.test"], ["x@y"], KEY) is None
    assert message_id == tokens.outgoing_message_id("7b1c", 42, KEY, "aurora.test")


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="too short"):
        tokens.sign(1, b"short")
