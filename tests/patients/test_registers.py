"""Postal addresses and numbers of registers by hand, and a patient who is written down without a conversation."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from contact_center.audit.models import AuditEntry
from contact_center.common.versions import Unseen, version_of
from patients.models import Identifier, Patient, PostalAddress
from patients.services import homes, locking, registers
from patients.services.duplicates import compare_records
from tests.factories.patients import IdentifierFactory, PatientFactory, PostalAddressFactory

pytestmark = pytest.mark.django_db
LONG = "x" * 1_000_000


@pytest.fixture
def patient():
    return PatientFactory(given_name="Ana", family_name="Quispe", birth_date="1984-03-09", phone="+13055550117")


def url(name, *args):
    return reverse(f"patients:{name}", args=args)


def trail(patient, kind):
    rows = AuditEntry.objects.filter(patient_id=patient.pk, object_type=kind).order_by("pk")
    return [(row.action, row.detail) for row in rows]


# ---- where somebody lives ----


def test_a_home_is_added_changed_and_removed_and_the_trail_says_no_word_of_it(agent, patient):
    home = homes.add_home(actor=agent, patient_id=patient.pk, line=" Calle Luna 7 ", city="Lima", postal_code="15001")
    homes.change_home(actor=agent, home_id=home.pk, seen_version=version_of(home), city="Cusco", line="Calle Luna 7")
    assert PostalAddress.objects.values_list("line", "city", "use").get() == ("Calle Luna 7", "Cusco", "home")
    homes.remove_home(actor=agent, home_id=home.pk)
    assert not PostalAddress.objects.exists()
    assert trail(patient, "postaladdress") == [
        ("created", {"use": "home"}), ("changed", {"fields": ["city"]}), ("deleted", {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({}, "line"),
        ({"country": "Peru"}, "line"),
        ({"line": "12 Calle Ocho", "city": "Miami", "postal_code": "33135"}, "line"),
        ({"line": LONG}, "line"),
        ({"line": "Luna 7", "postal_code": "1" * 21}, "postal_code"),
        ({"line": "Luna 7", "use": "castle"}, "use"),
    ],
)
def test_an_empty_a_known_and_an_endless_home_are_refused_at_their_field(agent, patient, fields, where):
    PostalAddressFactory(patient=patient)
    with pytest.raises(ValidationError) as refused:
        homes.add_home(actor=agent, patient_id=patient.pk, **fields)
    assert (list(refused.value.message_dict), PostalAddress.objects.count()) == ([where], 1)


def test_nobody_writes_over_words_they_did_not_see_or_may_not_change(agent, partner_agent, patient):
    home, number = PostalAddressFactory(patient=patient), IdentifierFactory(patient=patient)
    seen = version_of(home), version_of(number)
    homes.change_home(actor=agent, home_id=home.pk, city="Doral")
    registers.change_number(actor=agent, number_id=number.pk, system="passport", value="B-2")
    with pytest.raises(Unseen):
        homes.change_home(actor=agent, home_id=home.pk, seen_version=seen[0], city="Hialeah")
    with pytest.raises(Unseen):
        registers.change_number(actor=agent, number_id=number.pk, seen_version=seen[1], system="passport", value="C-3")
    with pytest.raises(PostalAddress.DoesNotExist):
        homes.remove_home(actor=partner_agent, home_id=home.pk)
    Patient.objects.filter(pk=patient.pk).update(merged_into=PatientFactory())
    with pytest.raises((PermissionDenied, Identifier.DoesNotExist)):
        registers.remove_number(actor=agent, number_id=number.pk)
    assert (PostalAddress.objects.get().city, Identifier.objects.get().value) == ("Doral", "B2")


# ---- numbers of registers ----


def test_a_number_is_one_patients_and_stands_in_no_entry_of_the_trail(agent, patient):
    number = registers.add_number(actor=agent, patient_id=patient.pk, system="national", value="x-12.345.678")
    again = registers.add_number(actor=agent, patient_id=patient.pk, system="national", value="X12345678")
    assert (number.value, number.raw, again) == ("X12345678", "x-12.345.678", number)
    other = PatientFactory()
    for wrong in ("X 12345678", "–", LONG):
        with pytest.raises(ValidationError) as refused:
            registers.add_number(actor=agent, patient_id=other.pk, system="national", value=wrong)
        assert list(refused.value.message_dict) == ["value"]
    registers.change_number(actor=agent, number_id=number.pk, system="national", value="X-99")
    registers.add_number(actor=agent, patient_id=other.pk, system="national", value="X12345678")
    registers.remove_number(actor=agent, number_id=number.pk)
    assert trail(patient, "identifier") == [
        ("created", {"system": "national"}), ("changed", {"fields": ["system", "value"]}),
        ("deleted", {"system": "national"}),
    ]  # fmt: skip


def test_the_page_offers_both_and_shows_a_number_to_nobody(agent, signed_in, patient):
    browser = signed_in(agent)
    browser.post(url("home-new", patient.pk), {"line": "Calle Luna 7", "city": "Lima", "use": "home"})
    browser.post(url("number-new", patient.pk), {"system": "passport", "value": "AB-123456"})
    home, number = PostalAddress.objects.get(), Identifier.objects.get()
    pages = [browser.get(url(*at)).content.decode() for at in (("record", patient.pk), ("number", number.pk))]
    assert [("123456" in page, "3456" in page) for page in pages] == [(False, True)] * 2
    wrong = browser.post(url("number", number.pk), {"system": "passport", "value": "", "seen_version": "x"})
    assert (wrong.status_code, "Write the number." in wrong.content.decode()) == (422, True)
    stale = browser.post(url("home", home.pk), {"line": "Sol 1", "use": "home", "seen_version": "2020-01-01"})
    assert (stale.status_code, "It says now" in stale.content.decode()) == (409, True)
    for name, row in (("home", home), ("number", number)):
        clicks = [browser.post(url(name, row.pk), {"verb": "remove", "form_key": name}) for _click in range(2)]
        assert [one.headers["Location"] for one in clicks] == [url("record", patient.pk)] * 2
        assert browser.post(url(name, row.pk), {"verb": "remove", "form_key": "of another page"}).status_code == 404
    assert (PostalAddress.objects.count(), Identifier.objects.count()) == (0, 0)


def test_what_somebody_else_removes_at_the_same_moment_is_removed(agent, signed_in, patient, monkeypatch):
    home = homes.add_home(actor=agent, patient_id=patient.pk, line="Calle Luna 7")
    lock_patient = locking.lock_patient

    def somebody_was_faster(*given):
        PostalAddress.objects.all().delete()
        return lock_patient(*given)

    monkeypatch.setattr(locking, "lock_patient", somebody_was_faster)
    done = signed_in(agent).post(url("home", home.pk), {"verb": "remove"})
    assert done.headers["Location"] == url("record", patient.pk)


# ---- somebody whom no record knows ----

NEW = {
    "given_name": "Ana", "family_name": "Quispé", "birth_date": "1984-03-09", "gender": "female", "language": "es",
    "phone": "+1 305 555 0117", "email": "Ana@Mail.example", "system": "national", "identifier": "77-88",
    "form_key": "k",
}  # fmt: skip


def test_whoever_is_much_like_somebody_here_is_shown_first_and_written_once(agent, signed_in, patient):
    compare_records([patient.pk, PatientFactory(given_name="Ana", family_name="Quispe", sensitivity="vip").pk])
    browser = signed_in(agent)
    first = browser.post(url("new"), NEW)
    page = first.content.decode()
    assert (first.status_code, Patient.objects.count()) == (409, 2)
    assert [(one.patient, one.level) for one in first.context["alike"]] == [(patient, "certain")]
    assert ("Same birth date" in page, f'name="seen" value="{patient.pk}"' in page, "77-88" in page) == (True,) * 3
    assert AuditEntry.objects.get(detail__what="newcomer").detail["found"] == [patient.pk]
    sure = NEW | {"seen": str(patient.pk)}
    done = [browser.post(url("new"), sure).headers["Location"] for _ in range(2)]
    made = Patient.objects.latest("pk")
    assert (done, Patient.objects.count()) == ([url("record", made.pk)] * 2, 3)
    assert [(point.scheme, point.value) for point in made.contact_points.all()] == [
        ("phone", "+13055550117"), ("email", "ana@mail.example"),
    ]  # fmt: skip
    assert made.identifiers.get().value == "7788"


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"given_name": ""}, "given_name", "A name is needed."),
        ({"given_name": LONG}, "given_name", "Ensure this value has at most 120 characters (it has 1000000)."),
        ({"birth_date": "1984-02-30"}, "birth_date", "Enter a valid date."),
        ({"birth_date": "1889-12-31"}, "birth_date", "Enter a date between 1890 and today."),
        ({"birth_date": "2999-01-01"}, "birth_date", "Enter a date between 1890 and today."),
        ({"phone": "12"}, "phone", "This is not a complete phone number. Add the country code, as in +34."),
        ({"email": "ana@"}, "email", "This is not a complete e-mail address."),
        ({"identifier": "77-88"}, "identifier", "This number belongs to another record."),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_with_what_was_typed(agent, signed_in, change, field, why):
    IdentifierFactory(system="national", value="7788", patient=PatientFactory(sensitivity="vip"))
    before = Patient.objects.count()
    response = signed_in(agent).post(url("new"), NEW | {"identifier": "99"} | change)
    form = response.context["form"]
    assert (response.status_code, form.errors, Patient.objects.count()) == (422, {field: [why]}, before)
    assert form["family_name"].value() == "Quispé"


@pytest.mark.parametrize("name", ["X", "محمد", "👩‍⚕️ Zoë", "=cmd|' /C calc'!A0", "<b>Li</b>"])
def test_unusual_names_are_written_down_as_they_are(agent, signed_in, name):
    browser = signed_in(agent)
    browser.post(
        url("new"),
        {"given_name": name, "family_name": "O", "gender": "unknown", "language": "es", "system": "national"},
    )
    made = Patient.objects.get()
    assert (made.given_name, made.language) == (name, "es")
    assert "<b>Li</b>" not in browser.get(url("record", made.pk)).content.decode()
