"""Merging records and undoing it: what moves, what stays, what is refused, and that every item finds its way back."""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contact_center.audit.models import AuditEntry
from contact_center.audit.selectors import Question, entries_for
from contact_center.common.errors import Refused
from inbox.models import Interaction
from patients.models import (
    Consent,
    ContactPoint,
    DuplicateSuggestion,
    ErasureRequest,
    Identifier,
    Patient,
    PatientMerge,
    PatientMergeItem,
    PostalAddress,
    RelatedPerson,
)
from patients.selectors.duplicates import current_id, earlier_records, merges_visible_to
from patients.selectors.merging import additions, choices, contents, links, what_moved
from patients.selectors.people import match_patients
from patients.services import duplicates, merging, records
from tests.factories.inbox import InteractionFactory
from tests.factories.patients import (
    ConsentFactory,
    ContactPointFactory,
    IdentifierFactory,
    PatientFactory,
    PostalAddressFactory,
    RelatedPersonFactory,
)

pytestmark = pytest.mark.django_db
PHONE = "+13055550100"


@pytest.fixture
def pair():
    born = date(1984, 3, 9)
    old = PatientFactory(given_name="Inigo", family_name="Arregui", birth_date=born, phone=PHONE, email="i@x.example")
    return old, PatientFactory(given_name="Íñigo", family_name="Arregui", birth_date=None, phone=PHONE)


def merged(actor, source, target, **more):
    return merging.merge_patients(actor=actor, source_id=source.pk, target_id=target.pk, **more)


def undone(actor, merge, **more):
    return merging.unmerge_patients(actor=actor, merge_id=merge.pk, **more)


def test_everything_moves_but_what_the_other_has_too_and_all_of_it_comes_back(supervisor, pair, sms_channel):
    old, new = pair
    talk = InteractionFactory(channel=sms_channel, patient=old)
    relative = RelatedPersonFactory(patient=new, relative=old)
    aunt = RelatedPersonFactory(patient=PatientFactory(), relative=old)
    merge = merged(supervisor, old, new, take=["birth_date"])
    assert current_id(old.pk) == new.pk
    assert Interaction.objects.get(pk=talk.pk).patient == new
    assert RelatedPerson.objects.get(pk=aunt.pk).relative == new
    assert RelatedPerson.objects.get(pk=relative.pk).relative == old  # nobody is their own relative
    assert list(old.contact_points.values_list("value", flat=True)) == [PHONE]
    assert set(new.contact_points.values_list("value", flat=True)) == {PHONE, "i@x.example"}
    assert Patient.objects.get(pk=new.pk).birth_date == old.birth_date
    undone(supervisor, merge)
    assert Patient.objects.get(pk=new.pk).birth_date is None
    assert Interaction.objects.get(pk=talk.pk).patient == old
    assert set(old.contact_points.values_list("value", flat=True)) == {PHONE, "i@x.example"}
    assert (current_id(old.pk), list(new.contact_points.values_list("value", flat=True))) == (old.pk, [PHONE])


def test_a_reply_to_either_address_finds_the_joined_record(supervisor, pair):
    old, new = pair
    ContactPointFactory(patient=old, value="+13055550199")
    merged(supervisor, old, new)
    assert [match_patients("phone", number) for number in (PHONE, "+13055550199")] == [[new], [new]]
    assert match_patients("email", "i@x.example") == [new]


def test_what_protects_the_patient_is_kept_from_either(supervisor, pair):
    old, new = pair
    Patient.objects.filter(pk=old.pk).update(is_do_not_contact=True, deceased_date=date(2026, 1, 2))
    merge = merged(supervisor, old, new)
    joined = Patient.objects.get(pk=new.pk)
    assert (joined.is_do_not_contact, joined.deceased_date) == (True, date(2026, 1, 2))
    undone(supervisor, merge)
    joined = Patient.objects.get(pk=new.pk)
    assert (joined.is_do_not_contact, joined.deceased_date) == (False, None)


def test_merges_in_a_row_point_to_the_last_and_are_undone_from_the_end(supervisor):
    first, second, third = PatientFactory.create_batch(3)
    point = ContactPointFactory(patient=first)
    one = merged(supervisor, first, second)
    two = merged(supervisor, second, third)
    assert [current_id(pk) for pk in (first.pk, second.pk, third.pk)] == [third.pk] * 3
    assert earlier_records(third.pk) == [first.pk, second.pk]
    with pytest.raises(Refused, match="merged itself"):
        undone(supervisor, one)
    undone(supervisor, two)
    assert current_id(first.pk) == second.pk
    undone(supervisor, one)
    assert ContactPoint.objects.get(pk=point.pk).patient == first
    with pytest.raises(Refused, match="undone already"):
        undone(supervisor, one)


def test_itself_cycles_and_merged_records_are_refused_in_words(supervisor, agent, pair):
    old, new = pair
    with pytest.raises(Refused, match="cannot be merged with itself"):
        merged(supervisor, old, old)
    with pytest.raises(PermissionDenied):
        merged(agent, old, new)
    with pytest.raises(Refused, match="cannot be chosen"):
        merged(supervisor, old, new, take=["mrn"])
    with pytest.raises(Patient.DoesNotExist):
        merging.merge_patients(actor=supervisor, source_id=old.pk, target_id=10**9)
    merged(supervisor, old, new)
    for source, target in ((new, old), (old, PatientFactory())):
        with pytest.raises(Refused, match="was merged already"):
            merged(supervisor, source, target)
    assert PatientMerge.objects.count() == 1


def test_a_record_that_is_erased_or_to_be_is_refused(supervisor, admin, pair):
    old, new = pair
    merge = merged(supervisor, *PatientFactory.create_batch(2))
    request = ErasureRequest.objects.create(patient=old, reason="Asked", requested_by=supervisor)
    with pytest.raises(Refused, match="is erased or about to be"):
        merged(supervisor, old, new)
    ErasureRequest.objects.create(patient=merge.target, reason="Asked", requested_by=supervisor)
    with pytest.raises(Refused, match="cannot be undone"):
        undone(supervisor, merge)
    ErasureRequest.objects.filter(pk=request.pk).update(status="declined", why_declined="No")
    assert merged(supervisor, old, new).target == new


def test_a_protected_record_is_merged_only_by_those_who_may_open_it(supervisor, pair):
    old, new = pair
    Patient.objects.filter(pk=old.pk).update(sensitivity="vip")
    with pytest.raises(Patient.DoesNotExist):
        merged(supervisor, old, new)


def test_what_was_added_since_is_listed_and_moved_as_chosen(supervisor, pair):
    old, new = pair
    before = ContactPointFactory(patient=new, value="+13055550111")
    merge = merged(supervisor, old, new)
    mine, theirs = (ContactPointFactory(patient=new, value=f"+1305555020{n}") for n in (1, 2))
    listed = [addition.key for addition in additions(merge)]
    assert listed == [f"patients.ContactPoint.patient:{row.pk}" for row in (mine, theirs)]
    for wrong in (f"patients.ContactPoint.patient:{before.pk}", "patients.ContactPoint.patient:x", "auth.User.id:1"):
        with pytest.raises(Refused, match="added since"):
            undone(supervisor, merge, give_back=[wrong])
    undone(supervisor, merge, give_back=[listed[1]])
    owners = dict(ContactPoint.objects.values_list("pk", "patient_id"))
    assert [owners[row.pk] for row in (before, mine, theirs)] == [new.pk, new.pk, old.pk]


def test_a_field_changed_since_keeps_its_present_value(supervisor, pair):
    old, new = pair
    merge = merged(supervisor, old, new, take=["given_name", "birth_date"])
    Patient.objects.filter(pk=new.pk).update(given_name="Eneko")
    undone(supervisor, merge)
    joined = Patient.objects.get(pk=new.pk)
    assert (joined.given_name, joined.birth_date) == ("Eneko", None)


def test_what_went_to_a_third_record_since_stays_there(supervisor, pair, sms_channel):
    old, new = pair
    talk, third = InteractionFactory(channel=sms_channel, patient=old), PatientFactory()
    merge = merged(supervisor, old, new)
    Interaction.objects.filter(pk=talk.pk).update(patient=third)
    undone(supervisor, merge)
    assert Interaction.objects.get(pk=talk.pk).patient == third


def test_the_question_is_settled_and_asked_again_only_by_new_data(supervisor, pair):
    old, new = pair
    third = PatientFactory(given_name="Inigo", family_name="Arregui", birth_date=old.birth_date)
    duplicates.compare_records([old.pk, new.pk, third.pk])
    merge = merged(supervisor, old, new)
    assert {(row.first_id, row.second_id, row.status) for row in DuplicateSuggestion.objects.exclude(first=new)} == {
        (old.pk, new.pk, "merged")
    }
    undone(supervisor, merge)
    duplicates.compare_records([old.pk, new.pk])
    assert DuplicateSuggestion.objects.get(first=old, second=new).status == "dismissed"


def test_both_records_keep_a_trail_and_listeners_hear_of_it(supervisor, pair, django_capture_on_commit_callbacks):
    from patients import signals

    old, new = pair
    heard = []

    def hear(signal, **ids):
        heard.append((ids["source_id"], ids["target_id"]))

    signals.patients_merged.connect(hear)
    signals.patients_unmerged.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        undone(supervisor, merged(supervisor, old, new))
    trail = AuditEntry.objects.filter(object_type="patientmerge").order_by("pk")
    assert [(entry.patient_id, entry.detail["to"]) for entry in trail] == [
        (old.pk, "merged"),
        (new.pk, "merged"),
        (old.pk, "unmerged"),
        (new.pk, "unmerged"),
    ]
    assert heard == [(old.pk, new.pk)] * 2


def test_who_looked_at_the_old_record_is_found_with_the_joined_one(supervisor, admin, pair):
    old, new = pair
    records.open_patient_record(supervisor, old.pk, "page")
    merged(supervisor, old, new)
    records.open_patient_record(supervisor, new.pk, "page")
    seen = entries_for(admin, Question(patient_id=new.pk, action="viewed"))
    assert [entry.patient_id for entry in seen] == [new.pk, old.pk]


def test_the_preview_counts_what_would_move_and_suggests_what_fills_a_blank(supervisor, pair, sms_channel):
    old, new = pair
    InteractionFactory.create_batch(2, channel=sms_channel, patient=old)
    assert {str(one.title): one.count for one in contents(old)} == {
        "Conversations": 2,
        "Phones and e-mail addresses": 2,
    }
    assert {choice.name: choice.is_suggested for choice in choices(old, new)} == {
        "given_name": False,
        "birth_date": True,
    }
    merge = merged(supervisor, old, new)
    assert {str(one.title): one.count for one in what_moved(merge)} == {
        "Conversations": 2,
        "Phones and e-mail addresses": 1,
    }


def test_what_reached_the_old_record_at_that_moment_is_gathered(supervisor, pair):
    old, new = pair
    merge = merged(supervisor, old, new)
    late = ContactPointFactory(patient=old, value="+13055550188")
    assert (merging.gather_stragglers(), merging.gather_stragglers()) == (1, 0)
    assert ContactPoint.objects.get(pk=late.pk).patient == new
    undone(supervisor, merge)
    assert ContactPoint.objects.get(pk=late.pk).patient == old


def test_every_table_with_a_patient_takes_part_or_is_left_alone_on_purpose():
    from patients.selectors.merging import LEFT_ALONE

    labels = {
        relation.related_model._meta.label
        for relation in Patient._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete
    }
    assert labels - {name.rpartition(".")[0] for name in links()} == LEFT_ALONE


def test_merges_are_seen_by_those_who_may_merge(supervisor, agent, pair):
    merge = merged(supervisor, *pair)
    assert (list(merges_visible_to(supervisor)), list(merges_visible_to(agent))) == ([merge], [])


# ---- any sequence of merges, additions and unmerges ----

who = st.integers(0, 4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), who, st.sampled_from(["phone", "number", "home", "word", "talk"]), st.integers(0, 2)),
        st.tuples(st.just("merge"), who, who, st.booleans()),
        st.tuples(st.just("undo"), st.integers(0, 9), st.booleans(), st.none()),
    ),
    max_size=14,
)
MODELS = (ContactPoint, Identifier, PostalAddress, Consent, Interaction)


class Story:
    """Plays steps and keeps in mind to whom each item was given."""

    def __init__(self, actor, channel):
        self.actor, self.channel = actor, channel
        self.people = [PatientFactory(given_name=f"Name{n}", birth_date=None) for n in range(5)]
        self.home, self.numbers = {}, 0

    def play(self, step):
        kind, one, two, three = step
        if kind == "add":
            self.add(Patient.objects.get(pk=current_id(self.people[one].pk)), two, three)
        elif kind == "merge":
            ends = [current_id(self.people[n].pk) for n in (one, two)]
            if ends[0] != ends[1]:
                take = ["given_name"] if three else []
                merging.merge_patients(actor=self.actor, source_id=ends[0], target_id=ends[1], take=take)
        else:
            merges = list(PatientMerge.objects.filter(undone_at=None).order_by("pk"))
            if merges:
                self.undo(merges[one % len(merges)], gives=two)

    def add(self, patient, kind, n):
        """A value that others may have too, so that merges clash."""
        if kind == "phone" and not patient.contact_points.filter(value=f"+1305555010{n}").exists():
            self.note(ContactPointFactory(patient=patient, value=f"+1305555010{n}"))
        elif kind == "home" and not patient.postal_addresses.exists():
            self.note(PostalAddressFactory(patient=patient))
        elif kind == "number":
            self.note(IdentifierFactory(patient=patient))
        elif kind == "word":
            self.note(ConsentFactory(patient=patient))
        elif kind == "talk":
            self.note(InteractionFactory(patient=patient, channel=self.channel))

    def note(self, row):
        self.home[type(row), row.pk] = row.patient_id

    def undo(self, merge, *, gives):
        chosen = [addition.key for addition in additions(merge)] if gives else []
        try:
            with transaction.atomic():
                undone(self.actor, merge, give_back=chosen)
        except Refused:
            assert Patient.objects.get(pk=merge.target_id).merged_into_id is not None
            return False
        for key in chosen:
            name, _colon, pk = key.rpartition(":")
            model = links()[name].model
            if (model, int(pk)) in self.home:
                self.home[model, int(pk)] = model.objects.get(pk=pk).patient_id
        return True


ANY = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}


@settings(max_examples=12, **ANY)
@given(steps)
def test_any_sequence_of_merges_additions_and_unmerges_returns_every_item(supervisor, sms_channel, script):
    returns_every_item(supervisor, sms_channel, script)


def test_the_first_of_three_merges_is_undone_and_the_others_lead_back_to_the_first_name(supervisor, sms_channel):
    script = [("merge", 1, 2, True), ("merge", 3, 2, True), ("merge", 0, 2, True), ("undo", 0, False, None)]
    returns_every_item(supervisor, sms_channel, script)


@pytest.mark.slow
@settings(max_examples=200, **ANY)
@given(steps)
def test_any_of_very_many_sequences_returns_every_item(supervisor, sms_channel, script):
    returns_every_item(supervisor, sms_channel, script)


def returns_every_item(supervisor, sms_channel, script):
    with transaction.atomic():
        story = Story(supervisor, sms_channel)
        for step in script:
            story.play(step)
        owners = {(model, row.pk): row.patient_id for model in MODELS for row in model.objects.all()}
        assert owners.keys() == story.home.keys()  # nothing is lost on the way
        left = PatientMerge.objects.filter(undone_at=None)
        while left.exists():
            assert any(story.undo(merge, gives=False) for merge in left.order_by("-pk"))
        owners = {(model, row.pk): row.patient_id for model in MODELS for row in model.objects.all()}
        assert owners == story.home
        names = [Patient.objects.get(pk=patient.pk).given_name for patient in story.people]
        assert names == [patient.given_name for patient in story.people]
        assert not PatientMergeItem.objects.filter(merge__undone_at=None).exists()
        transaction.set_rollback(True)
