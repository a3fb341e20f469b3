"""The page of one patient over real HTTP: what it shows, to whom, at what price, and what each button does."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from inbox.models import IdentityCheck, Note, OptOut
from patients.models import Alert, Coverage, Identifier, LifeEvent, Patient, PostalAddress
from patients.services import records
from tests.factories.care import (
    AlertFactory,
    BreakGlassFactory,
    CareProgramFactory,
    CoverageFactory,
    EnrolmentFactory,
    LifeEventFactory,
    PendingResultFactory,
)
from tests.factories.inbox import CaseFactory, InteractionFactory, ReasonFactory
from tests.factories.patients import ConsentFactory, ContactPointFactory, PatientFactory, RelatedPersonFactory

TODAY = timezone.localdate


@pytest.fixture
def patient(db):
    return PatientFactory(given_name="María", family_name="Quispe", mrn="P-77", phone="+13055550117")


@pytest.fixture
def visitor(agent, signed_in):
    return signed_in(agent)


def url(name, *args):
    return reverse(f"patients:{name}", args=args)


def looks(patient):
    """How many entries of the trail say that somebody saw this patient."""
    return AuditEntry.objects.filter(patient_id=patient.pk, action="viewed").count()


def fill(patient, sms_channel, agent, times):
    """So many of everything that the page shows."""
    for number in range(times):
        AlertFactory(patient=patient, created_by=agent, text=f"Alert {number}")
        EnrolmentFactory(patient=patient, owner=agent)
        PendingResultFactory(patient=patient, owner=agent)
        CoverageFactory(patient=patient)
        LifeEventFactory(patient=patient, recorded_by=agent)
        ConsentFactory(patient=patient, recorded_by=agent)
        ContactPointFactory(patient=patient)
        RelatedPersonFactory(patient=patient, relative=PatientFactory())
        row = InteractionFactory(
            channel=sms_channel, patient=patient, owner=agent, status="closed", reason=ReasonFactory(),
            next_step="Call", next_step_owner=agent, next_step_date=TODAY(),
        )  # fmt: skip
        Note.objects.create(interaction=row, author=agent, body="x")
        InteractionFactory(channel=sms_channel, patient=patient, reason=ReasonFactory())
        CaseFactory(patient=patient, owner=agent)


def test_the_page_shows_everything_that_is_known(visitor, patient, agent, sms_channel):
    fill(patient, sms_channel, agent, 1)
    OptOut.objects.create(channel_kind="sms", address="+13055550117", started_at=timezone.now())
    patient.contact_points.create(scheme="email", value="m@example.org", rank=2, bounced_at=timezone.now())
    page = visitor.get(url("record", patient.pk)).content.decode()
    for words in (
        "María Quispe", "P-77", "+13055550117", "Opted out: SMS", "Bounces", "Alert 0", "Her sister died in spring",
        "Sunshine Health", "Blood count", "First call", "Next expected step", "Timeline", "Granted", "Call", "Note",
    ):  # fmt: skip
        assert words in page, words


def test_opening_the_page_its_pieces_and_its_line_leaves_one_entry_each(visitor, patient):
    for name, *more in (("record",), ("timeline",), ("piece", "programs"), ("piece", "coverage"), ("alert-new",)):
        before = looks(patient)
        assert visitor.get(url(name, patient.pk, *more)).status_code == 200
        assert looks(patient) - before == 1, (name, more)


def test_it_costs_the_same_for_one_and_fifty_of_everything(visitor, patient, agent, sms_channel):
    def asked():
        with CaptureQueriesContext(connection) as seen:
            assert visitor.get(url("record", patient.pk)).status_code == 200
        return len(seen)

    counts = []
    for times in (1, 49):
        fill(patient, sms_channel, agent, times)
        counts.append(min(asked() for _ in range(3)))  # what is read anew every few seconds is not in each
    assert counts[0] == counts[1]
    assert counts[0] <= 60


def test_hidden_and_absent_records_are_404_alike(visitor, patient):
    hidden = PatientFactory(sensitivity="protected")
    for pk in (hidden.pk, 10**15):
        for name, *more in (("record",), ("timeline",), ("piece", "programs"), ("alert-new",), ("break-glass",)):
            assert visitor.get(url(name, pk, *more)).status_code == 404, (pk, name)


# ---- the next step ----


def test_the_earliest_step_of_all_stands_on_top_and_says_that_it_is_late(visitor, patient, agent, sms_channel):
    enrolment = EnrolmentFactory(patient=patient, step_due_date=TODAY() - timedelta(days=1), owner=agent)
    PendingResultFactory(patient=patient, expected_date=TODAY() + timedelta(days=2))
    InteractionFactory(
        channel=sms_channel, patient=patient, status="active", owner=agent, next_step="Send the form",
        next_step_owner=agent, next_step_date=TODAY(),
    )  # fmt: skip
    response = visitor.get(url("record", patient.pk))
    steps = [(step.title, step.is_overdue) for step in response.context["next_steps"]]
    assert steps == [(str(enrolment.step), True), ("Send the form", False), ("Wait for: Blood count", False)]
    assert str(agent) in response.content.decode().split("Next expected step")[2][:700]


# ---- adding, ending, moving on ----


def test_an_alert_is_added_and_ended(visitor, patient, agent):
    sent = {"text": "Falls easily", "kind": "safety", "severity": "danger", "expires_date": ""}
    response = visitor.post(url("alert-new", patient.pk), sent)
    assert response.headers["Location"] == url("record", patient.pk)
    alert = Alert.objects.get()
    assert (alert.text, alert.created_by) == ("Falls easily", agent)
    assert visitor.post(url("alert-end", alert.pk)).headers["Location"] == url("record", patient.pk)
    again = visitor.post(url("alert-end", alert.pk), follow=True)
    assert "This alert has ended already." in again.content.decode()


def test_a_wrong_form_comes_back_with_what_was_typed_and_why_not(visitor, patient):
    response = visitor.post(url("alert-new", patient.pk), {"text": "", "kind": "x", "severity": "danger"})
    page = response.content.decode()
    assert response.status_code == 422
    assert ("Say what everybody must know." in page, 'aria-invalid="true"' in page) == (True, True)
    assert Alert.objects.count() == 0


def test_a_dialog_goes_back_to_the_page_it_was_opened_on(visitor, patient):
    headers = {
        "HX-Request": "true",
        "HX-Target": "div#dialogs",
        "HX-Current-URL": "http://testserver/inbox/5/?view=mine",
    }
    form = visitor.get(url("life-event-new", patient.pk), headers=headers)
    assert '<dialog class="dialog dialog--md" id="record-form"' in form.content.decode()
    done = visitor.post(url("life-event-new", patient.pk), {"text": "New job", "back": "/inbox/5/"}, headers=headers)
    assert (done.headers["HX-Redirect"], LifeEvent.objects.get().text) == ("/inbox/5/", "New job")
    away = visitor.post(url("life-event-new", patient.pk), {"text": "x", "back": "https://evil.example/accounts/"})
    assert away.headers["Location"] == url("record", patient.pk)


def test_a_program_is_begun_moved_on_and_left(visitor, patient, agent, second_agent):
    program = CareProgramFactory(steps=["Call", "Visit"])
    visitor.post(url("enrol", patient.pk), {"program": program.pk, "owner": second_agent.pk})
    enrolment = patient.enrolments.get()
    assert (enrolment.owner, str(enrolment.step)) == (second_agent, "Call")
    stale = enrolment.step_id
    visitor.post(url("enrolment-done", enrolment.pk), {"step": stale, "note": "went well"})
    twice = visitor.post(url("enrolment-done", enrolment.pk), {"step": stale})
    assert twice.status_code == 409
    visitor.post(url("enrolment", enrolment.pk), {"owner": agent.pk, "day": "2030-01-02"})
    enrolment.refresh_from_db()
    assert (str(enrolment.step), enrolment.owner, str(enrolment.step_due_date)) == ("Visit", agent, "2030-01-02")
    assert visitor.post(url("enrolment-leave", enrolment.pk), {"why": ""}).status_code == 422
    visitor.post(url("enrolment-leave", enrolment.pk), {"why": "Moved away"})
    enrolment.refresh_from_db()
    assert (enrolment.status, enrolment.why_left) == ("left", "Moved away")


def test_a_result_is_awaited_arrives_and_is_told(visitor, patient, agent):
    visitor.post(url("pending-new", patient.pk), {"title": "MRI", "kind": "result", "expected_date": "2030-01-02"})
    row = patient.pending_results.get()
    visitor.post(url("pending", row.pk), {"owner": agent.pk, "day": "2030-02-02"})
    for verb in ("arrive", "tell"):
        visitor.post(url("pending-move", row.pk), {"verb": verb})
    row.refresh_from_db()
    assert (row.status, str(row.expected_date)) == ("told", "2030-02-02")


def test_coverage_is_added_and_ended(visitor, patient):
    visitor.post(url("coverage-new", patient.pk), {"payer": "Sunshine", "member_number": "M 1"})
    row = Coverage.objects.get()
    visitor.post(url("coverage-end", row.pk))
    row.refresh_from_db()
    assert (row.member_number, row.status) == ("M 1", "cancelled")
    wrong = CoverageFactory(patient=patient)
    visitor.post(url("coverage-end", wrong.pk), {"is_error": "1"})
    shown = visitor.get(url("piece", patient.pk, "coverage")).context["piece"]["context"]["coverages"]
    assert shown == [row]


def test_who_somebody_is_is_changed_and_the_trail_says_which_fields(visitor, patient):
    form = visitor.get(url("identity", patient.pk))
    given = form.context["form"].initial | {"family_name": "Quispe Rojas", "birth_date": "1967-03-14"}
    sent = given | {"site_name": "Norte", "seen_version": form.context["seen_version"]}
    assert visitor.post(url("identity", patient.pk), sent).headers["Location"] == url("record", patient.pk)
    patient.refresh_from_db()
    assert (patient.family_name, str(patient.birth_date), patient.site_name) == ("Quispe Rojas", "1967-03-14", "Norte")
    last = AuditEntry.objects.filter(patient_id=patient.pk, action="changed").latest("pk")
    assert last.detail["fields"] == ["birth_date", "family_name", "site_name"]


def test_a_change_over_one_that_was_not_seen_is_compared_first(visitor, patient):
    form = visitor.get(url("identity", patient.pk))
    sent = {"given_name": "Mariana", "family_name": "Quispe", "gender": "female"}
    records.update_patient(actor=None, patient_id=patient.pk, given_name="Marina")
    answer = visitor.post(url("identity", patient.pk), sent | {"seen_version": form.context["seen_version"]})
    assert (answer.status_code, "Marina" in answer.content.decode()) == (409, True)
    patient.refresh_from_db()
    assert patient.given_name == "Marina"
    again = visitor.post(url("identity", patient.pk), sent | {"seen_version": answer.context["seen_version"]})
    patient.refresh_from_db()
    assert (again.status_code, patient.given_name) == (302, "Mariana")


@pytest.mark.parametrize(
    ("name", "said", "field", "unseen"),
    [
        (
            "patients:preferences", {"language": "es", "preferred_channel": "sms"}, "preferred_channel",
            {"Language", "Best way to reach them"},
        ),
        (
            "inbox:switches", {"deceased_date": "2026-01-02"}, "deceased_date",
            {"The patient does not want to be contacted", "Died on"},
        ),
    ],
)  # fmt: skip
def test_wishes_and_switches_are_not_written_over_unseen_ones(visitor, patient, name, said, field, unseen):
    address = reverse(name, args=[patient.pk])
    seen = visitor.get(address).context["seen_version"]
    records.update_patient(actor=None, patient_id=patient.pk, is_do_not_contact=True)
    answer = visitor.post(address, said | {"seen_version": seen})
    assert answer.status_code == 409
    assert {str(label) for label, _words in answer.context["theirs"]} == unseen
    patient.refresh_from_db()
    assert (patient.is_do_not_contact, getattr(patient, field)) == (True, None if field == "deceased_date" else "")
    assert visitor.post(address, said | {"seen_version": answer.context["seen_version"]}).status_code == 302


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"given_name": ""}, "given_name"),
        ({"given_name": "x" * 121}, "given_name"),
        ({"birth_date": "1984-02-30"}, "birth_date"),
        ({"birth_date": "1871-01-01"}, "birth_date"),
        ({"gender": "cat"}, "gender"),
    ],
)
def test_wrong_identities_come_back_with_the_reason_at_the_field(visitor, patient, given, field):
    sent = {"given_name": "Ana", "family_name": "Ruiz", "gender": "female"} | given
    answer = visitor.post(url("identity", patient.pk), sent)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])


def test_addresses_are_added_tried_first_verified_and_removed(visitor, patient):
    old = patient.contact_points.get()
    wrong = {"scheme": "phone", "value": "12", "use": "mobile"}
    assert visitor.post(url("address-new", patient.pk), wrong).status_code == 422
    visitor.post(url("address-new", patient.pk), {"scheme": "email", "value": "Ana@Mail.example", "use": "home"})
    new = patient.contact_points.exclude(pk=old.pk).get()
    assert (new.scheme, new.value, new.verified_at) == ("email", "ana@mail.example", None)
    for verb in ("verify", "prefer"):
        visitor.post(url("address", new.pk), {"verb": verb})
    assert [(point.pk, point.rank, bool(point.verified_at)) for point in patient.contact_points.all()] == [
        (new.pk, 1, True), (old.pk, 2, False),
    ]  # fmt: skip
    visitor.post(url("address", old.pk), {"verb": "remove"})
    unknown = visitor.post(url("address", new.pk), {"verb": "sing"}, follow=True)
    assert "Say what has changed about it." in unknown.content.decode()
    assert list(patient.contact_points.all()) == [new]


def test_homes_are_shown_and_only_the_ends_of_numbers(visitor, patient):
    PostalAddress.objects.create(patient=patient, line="Calle Luna 7", city="Lima", postal_code="15001")
    Identifier.objects.create(patient=patient, system="national", value="X12345678")
    page = visitor.get(url("record", patient.pk)).content.decode()
    assert [words in page for words in ("Calle Luna 7", "15001 Lima", "ends in 5678", "12345678")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_the_head_offers_what_can_be_done_with_this_patient(visitor, patient):
    wanted = (f"/inbox/new/?patient={patient.pk}", f"/patients/{patient.pk}/visits/book/", url("identity", patient.pk))
    head = visitor.get(url("record", patient.pk)).content.decode().partition("p360__facts")[0]
    assert [address in head for address in wanted] == [True, True, True]
    Patient.objects.filter(pk=patient.pk).update(is_do_not_contact=True, deceased_date=TODAY())
    head = visitor.get(url("record", patient.pk)).content.decode().partition("p360__facts")[0]
    assert [address in head for address in wanted] == [False, False, True]


def test_the_head_says_whether_somebody_proved_to_be_the_patient_and_when(visitor, patient, sms_channel):
    def head():
        return visitor.get(url("record", patient.pk)).content.decode().partition("p360__acts")[0]

    assert "Not verified" in head()
    talk = InteractionFactory(channel=sms_channel, patient=patient)
    now = timezone.now()
    check = IdentityCheck.objects.create(
        interaction=talk, patient=patient, method="identifiers", outcome="passed", checked_at=now,
        expires_at=now + timedelta(minutes=30),
    )  # fmt: skip
    assert f"Verified at {timezone.localtime(now):%H:%M}" in head()
    IdentityCheck.objects.filter(pk=check.pk).update(expires_at=now)
    assert "Not verified now, last on" in head()
    other = InteractionFactory(channel=sms_channel, patient=PatientFactory())
    IdentityCheck.objects.filter(pk=check.pk).update(expires_at=now + timedelta(minutes=30), interaction=other)
    assert "Verified at" not in head()


def test_a_partner_agent_sees_whom_their_work_concerns_and_changes_nothing(
    partner_agent, signed_in, patient, sms_channel, partner_queue
):
    partner = signed_in(partner_agent)
    assert partner.get(url("record", patient.pk)).status_code == 404
    InteractionFactory(channel=sms_channel, patient=patient, queue=partner_queue)
    page = partner.get(url("record", patient.pk))
    assert (page.status_code, "alerts/new" in page.content.decode()) == (200, False)
    assert partner.post(url("alert-new", patient.pk), {"text": "x"}).status_code == 403
    alert = AlertFactory(patient=patient)
    assert partner.post(url("alert-end", alert.pk)).status_code == 403


def test_consent_stands_in_a_grid_with_the_newest_word_and_leads_to_the_reason(visitor, patient):
    now = timezone.now()
    for hours, purpose, channel, status in ((2, "reminders", "", "granted"), (1, "reminders", "sms", "withdrawn")):
        ConsentFactory(
            patient=patient, purpose=purpose, channel_kind=channel, status=status, source="phone call",
            recorded_at=now - timedelta(hours=hours),
        )  # fmt: skip
    page = visitor.get(url("record", patient.pk)).content.decode()
    piece = page.partition('id="piece-consent"')[2].partition("</section>")[0]
    rows = [re.findall(r"<td>.*?vh\">(.*?)</span>", row) for row in piece.split("<tr>")[2:]]
    assert rows == [
        ["Nothing said"] * 4, ["Granted", "Withdrawn", "Granted", "Granted"], *[["Nothing said"] * 4] * 3,
    ]  # fmt: skip
    assert f"Last word {timezone.localtime(now - timedelta(hours=1)):%-d %b %Y}: Said in a call." in piece
    assert [url("consents", patient.pk) in piece, reverse("inbox:reach", args=[patient.pk]) in piece] == [True, True]


# ---- the list and its search ----


def test_the_list_shows_whom_one_opened_last_and_finds_others_by_a_posted_text(visitor, patient):
    other = PatientFactory(given_name="Jorge", family_name="Salas")
    PatientFactory(given_name="Jorge", family_name="Secreto", sensitivity="vip")
    assert visitor.get(url("list")).context["found"] == []
    visitor.get(url("record", patient.pk))
    assert visitor.get(url("list")).context["found"] == [patient]
    assert visitor.post(url("list"), {"q": "jorge"}).context["found"] == [other]
    assert "1 patient found" in visitor.post(url("list"), {"q": "jorge"}).content.decode()
    searched = AuditEntry.objects.filter(action="searched").order_by("pk")
    assert [row.detail["found"] for row in searched] == [[], [patient.pk], [other.pk], [other.pk]]


# ---- protected records ----


def test_breaking_the_glass_by_record_number_and_birth_date(visitor, agent, admin):
    vip = PatientFactory(mrn="V-9", birth_date="1970-05-01", sensitivity="vip")
    wrong = {"mrn": "V-9", "birth_date": "1970-05-02", "reason": "She calls about results"}
    assert visitor.post(url("find-protected"), wrong).status_code == 422
    done = visitor.post(url("find-protected"), wrong | {"birth_date": "1970-05-01"}, follow=True)
    page = done.content.decode()
    assert done.redirect_chain == [(url("record", vip.pk), 302)]
    assert ("Person of public interest" in page, "Close again" in page) == (True, True)
    visitor.post(url("close-glass", vip.pk))
    assert visitor.get(url("record", vip.pk)).status_code == 404
    trail = AuditEntry.objects.filter(actor=agent).order_by("pk").values_list("action", "object_type")
    assert [row for row in trail if row[1] != "user"] == [
        ("searched", "patient"),
        ("broke_glass", "breakglass"),
        ("viewed", "patient"),
        ("closed", "breakglass"),
        ("searched", "patient"),
    ][:4]


def test_trying_to_guess_protected_records_ends_after_ten_tries(visitor):
    wrong = {"mrn": "V-9", "birth_date": "1970-05-02", "reason": "She calls about results"}
    pages = [visitor.post(url("find-protected"), wrong).content.decode() for _ in range(11)]
    assert ["Too many attempts" in page for page in pages] == [False] * 10 + [True]


def test_only_privacy_officers_protect_a_record(auditor, visitor, patient, signed_in):
    assert visitor.post(url("protect", patient.pk), {"sensitivity": "vip"}).status_code == 403
    officer = signed_in(auditor)
    assert "María" not in officer.get(url("protect", patient.pk)).content.decode()
    officer.post(url("protect", patient.pk), {"sensitivity": "vip"})
    assert visitor.get(url("record", patient.pk)).status_code == 404


# ---- audit ----


def test_an_auditor_sees_who_looked_without_any_name_of_a_patient(auditor, visitor, agent, patient, signed_in):
    visitor.get(url("record", patient.pk))
    page = signed_in(auditor).get(url("accesses", patient.pk)).content.decode()
    assert (str(agent) in page, "P-77" in page, "María" in page, "Quispe" in page) == (True, True, False, False)
    assert visitor.get(url("accesses", patient.pk)).status_code == 403


def test_the_trail_is_narrowed_and_reading_it_is_on_record(auditor, visitor, agent, patient, signed_in):
    visitor.get(url("record", patient.pk))
    grant = BreakGlassFactory(user=agent)
    visitor.get(url("record", grant.patient_id))
    officer = signed_in(auditor)

    def asked(**query):
        rows = officer.get(url("audit"), query).context["rows"]
        return [(row["entry"].action, row["mrn"]) for row in rows]

    assert asked(mrn="p-77", action="viewed") == [("viewed", "P-77")]
    assert asked(only_glass="on") == [("viewed", grant.patient.mrn)]
    assert asked(mrn="nobody") == []
    assert asked(actor=agent.pk, object_type="patient", since=TODAY().isoformat(), until=TODAY().isoformat()) == [
        ("viewed", grant.patient.mrn),
        ("viewed", "P-77"),
    ]
    assert officer.get(url("audit"), {"object_type": "DROP"}).status_code == 422
    entry = AuditEntry.objects.filter(object_type="audit").order_by("pk").first()
    assert (entry.actor, entry.action, entry.patient_id) == (auditor, "viewed", patient.pk)
    assert entry.detail["asked"] == {"action": "viewed", "patient_id": patient.pk}


def test_the_trail_has_pages_that_neither_repeat_nor_skip(auditor, signed_in, patient, agent):
    from contact_center.audit.enums import AuditAction
    from contact_center.audit.services import PastEntry, record_past

    at = timezone.now() - timedelta(hours=1)
    record_past([PastEntry(at, agent.pk, AuditAction.VIEWED, "patient", n, patient.pk, {}) for n in range(1, 121)])
    officer, query, seen = signed_in(auditor), {"actor": agent.pk}, []
    for _ in range(3):
        context = officer.get(url("audit"), query).context
        seen += [row["entry"].object_id for row in context["rows"]]
        query["before"] = str(context["older"])
    assert (sorted(seen), context["older"]) == (list(range(1, 121)), None)


def test_an_export_of_the_trail_is_a_job_with_its_own_entry(auditor, signed_in, visitor, patient, agent):
    from contact_center.jobs.models import Job
    from patients.services.trail import write_trail

    visitor.get(url("record", patient.pk))
    officer = signed_in(auditor)
    assert visitor.post(url("audit-export")).status_code == 403
    response = officer.post(url("audit-export"), {"mrn": "P-77"})
    job = Job.objects.get()
    assert response.headers["Location"] == reverse("jobs:job", args=[job.pk])
    _head, *rows = write_trail(job)
    assert [(row[2], row[3], row[6]) for row in rows] == [(agent, "Viewed", "P-77")]
    assert AuditEntry.objects.filter(action="exported", patient_id=patient.pk, actor=auditor).count() == 1
    empty = officer.post(url("audit-export"), {"mrn": "nobody"}, follow=True)
    assert "There is nothing to export." in empty.content.decode()


# ---- programs ----


def test_admins_say_what_the_steps_of_a_program_are(admin, visitor, signed_in):
    sent = {"name": "Heart", "steps": "First call | 1\n\nVisit | x and y | 30\n", "is_active": "on"}
    assert visitor.get(url("programs")).status_code == 403
    assert visitor.post(url("program-new"), sent).status_code == 403
    boss = signed_in(admin)
    assert boss.post(url("program-new"), sent | {"steps": "First call"}).status_code == 422
    boss.post(url("program-new"), sent)
    program = boss.get(url("programs")).context["rows"].get()
    assert list(program.steps.values_list("title", "days")) == [("First call", 1), ("Visit | x and y", 30)]
    page = boss.get(url("program", program.pk)).content.decode()
    assert "Visit | x and y | 30" in page
