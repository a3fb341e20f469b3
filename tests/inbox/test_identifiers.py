"""What people say, in their spelling, against what is on record: tolerant of spelling, never of another person."""

from datetime import date

import pytest

from inbox.identifiers import same_date, same_email, same_end, same_name, same_number, same_word


@pytest.mark.parametrize(
    ("said", "agrees"),
    [
        ("María Fernanda Quispe Rojas", True),
        ("maria quispe", True),
        ("QUISPE ROJAS, MARÍA", True),
        ("Mafe Quispe", True),
        ("María", False),
        ("Quispe", False),
        ("María Quiroz", False),
        ("María Quispe Torres", False),
        ("Rojas Quispe", False),
        ("", False),
        ("!!", False),
    ],
)
def test_a_name_needs_a_given_and_a_family_name_and_no_foreign_word(said, agrees):
    assert same_name(said, "María Fernanda", "Quispe Rojas", "Mafe") is agrees


def test_names_of_other_scripts_are_compared_as_they_are():
    assert same_name("محمد الأحمد", "محمد", "الأحمد")
    assert same_name("王 伟", "伟", "王")
    assert not same_name("王 芳", "伟", "王")


@pytest.mark.parametrize(
    ("said", "agrees"),
    [
        ("14 3 1967", True),
        ("14/03/1967", True),
        ("03-14-1967", True),
        ("1967-03-14", True),
        ("14.3.67", False),
        ("15 3 1967", False),
        ("14 4 1967", False),
        ("1967", False),
        ("yesterday", False),
    ],
)
def test_a_birth_date_is_known_in_any_usual_order(said, agrees):
    assert same_date(said, date(1967, 3, 14)) is agrees
    assert same_date(said, None) is False


def test_numbers_words_and_ends():
    assert same_number("(305) 555-0123", ["+13055550123"], "US")
    assert not same_number("305 555 0124", ["+13055550123"], "US")
    assert same_email(" Ana@Example.org ", ["ana@example.org"])
    assert same_end("2 917", ["00482917"])
    assert not same_end("917", ["00482917"])
    assert not same_end("", ["00482917"])
    assert same_word("p 0000 12", ["P000012"])
    assert not same_word("", [""])
