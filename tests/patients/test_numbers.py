"""Addresses in one spelling."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.phone_corpus import CORPUS, measure
from patients.numbers import NormalisedPhone, normalise_email, normalise_phone, phone_variants


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("+1 (305) 555-0123", "US", "+13055550123"),
        ("305.555.0123", "US", "+13055550123"),
        ("whatsapp:+13055550123", "US", "+13055550123"),
        ("WhatsApp: +1 305 555 0123", "US", "+13055550123"),
        ("tel:+1-305-555-0123", "US", "+13055550123"),
        ("0034 612 34 56 78", "US", "+34612345678"),
        ("00 34 612345678", "US", "+34612345678"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("(11) 98765-4321", "BR", "+5511987654321"),
        ("011 15 8765-4321", "AR", "+5491187654321"),
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("+52 1 55 1234 5678", "US", "+5215512345678"),
        ("+55 11 8765-4321", "US", "+551187654321"),
    ],
)
def test_usual_spellings_become_one_number(raw, region, e164):
    found = normalise_phone(raw, region)
    assert (found.e164, found.is_valid) == (e164, True)


def test_type_and_country_come_from_the_numbering_plan():
    assert normalise_phone("612345678", "ES") == NormalisedPhone("+34612345678", True, "mobile", "ES")


@pytest.mark.parametrize("raw", ["", "   ", "anonymous", "restricted", "+", "\x00", "x" * 10_000])
def test_text_without_a_number_is_none(raw):
    assert normalise_phone(raw, "US") is None


def test_a_number_that_cannot_exist_is_told():
    assert normalise_phone("+1 111 111 1111", "US") == NormalisedPhone("+11111111111", False, "unknown", "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5511987654321", "+551187654321"),
        ("+5491187654321", "+541187654321"),
        ("+5493435551212", "+543435551212"),
        ("+5215512345678", "+525512345678"),
    ],
)
def test_both_spellings_of_one_mobile_find_each_other(one, other):
    assert (phone_variants(one), phone_variants(other)) == ((one, other), (other, one))


@pytest.mark.parametrize("only", ["+13055550123", "+34612345678", "+551132654321", "+5521312345", "+52155"])
def test_other_numbers_have_one_spelling(only):
    assert phone_variants(only) == (only,)


@given(st.text(max_size=60), st.sampled_from(["US", "MX", "BR", "AR", "GB", None, "ZZ"]))
def test_no_text_breaks_the_reader_and_reading_twice_changes_nothing(text, region):
    found = normalise_phone(text, region)
    if found is not None and found.is_valid:
        again = normalise_phone(found.e164, region)
        assert again.e164 == found.e164


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        (" Ana.Souza@Example.ORG ", "ana.souza@example.org"),
        ("Ana Souza <ana@example.org>", "ana@example.org"),
        ("mailto:ana@example.org", "ana@example.org"),
        ("ana+clinic@sub.example.org", "ana+clinic@sub.example.org"),
        ("josé@exämple.org", "josé@exämple.org"),
    ],
)
def test_mail_addresses_lose_everything_around_them(raw, address):
    assert normalise_email(raw) == address


@pytest.mark.parametrize(
    "raw", ["", "ana", "ana@", "@example.org", "ana@host", "a b@example.org", "a@b@c.org", "a\x00@b.org", "a" * 300]
)
def test_what_is_no_mail_address_is_none(raw):
    assert normalise_email(raw) is None


@pytest.mark.skipif(not CORPUS.exists(), reason="the labelled corpus is not here")
def test_the_labelled_corpus_is_read_as_expected_but_for_three_known_rows():
    rows = [json.loads(line) for line in Path(CORPUS).read_text().splitlines() if line.strip()]
    rates = measure(rows)
    readable = sum(row["ok"] for row in rows)
    assert {name: round(rate * readable) for name, rate in rates.items() if name != "refused"} == {
        "number": readable - 3,
        "validity": readable - 3,
        "type": readable - 3,
    }
    assert rates["refused"] == 1.0
