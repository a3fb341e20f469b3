"""Two who do something with one complaint, or one patient, at the same moment."""

from datetime import timedelta

import pytest
from django.utils import timezone

from complaints.models import Complaint
from complaints.services import moves
from complaints.services.concluding import Step
from complaints.services.registering import Told, register_complaint
from patients.services.merging import merge_patients
from tests.blocking import at_once, while_waiting
from tests.factories.accounts import UserFactory
from tests.factories.complaints import ComplaintFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_move_that_two_make_at_once_is_made_once(supervisor):
    row, people = ComplaintFactory(), (supervisor, UserFactory(role="supervisor"))
    step = Step("Call her", timezone.localdate() + timedelta(days=2))

    def acknowledge(person):
        return moves.acknowledge(actor=person, complaint_id=row.pk, note="Called her", step=step).status

    answers = at_once(*(lambda person=person: acknowledge(person) for person in people))
    assert (sorted(answers), row.events.count()) == (["Conflict", "acknowledged"], 1)


def test_a_complaint_that_is_registered_while_the_record_is_merged_is_not_left_with_the_old_one(supervisor, patient):
    target = PatientFactory()

    def merge():
        merge_patients(actor=supervisor, source_id=patient.pk, target_id=target.pk)

    def register():
        return register_complaint(actor=supervisor, told=Told(words="Too late"), patient=patient)

    assert (while_waiting(merge, register), Complaint.objects.count()) == ("Conflict", 0)
    assert register().patient == target
