"""The seeded clinic: complete, the same for the same number, and true in every table."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Q
from django.test import override_settings
from django.utils import timezone

from contact_center.accounts.enums import Role
from contact_center.accounts.models import Team, User
from contact_center.audit.models import AuditEntry
from contact_center.audit.services import verify
from contact_center.aurora import seeding
from contact_center.aurora.desk import CONSENT_TEXT
from contact_center.aurora.staff import PASSWORD
from contact_center.simulator.demo_content import demo_contents
from inbox.enums import CaseStatus, ChannelKind, EventStatus, InteractionStatus, MessageStatus
from inbox.models import (
    Attachment,
    Case,
    FormSubmission,
    Interaction,
    Message,
    MessageTemplate,
    Queue,
    Recording,
    SavedView,
    WebForm,
    WebhookEvent,
)
from inbox.selectors.conditions import read
from inbox.selectors.pane import fitting
from inbox.services.gaps import reconcile
from patients.models import (
    BreakGlass,
    DuplicateSuggestion,
    Patient,
    PatientImport,
    PatientMerge,
    RelatedPerson,
)
from scheduling.models import AppointmentSeries, GroupSession
from scheduling.selectors.groups import with_taken
from scheduling.selectors.mass_moves import mass_moves
from scheduling.selectors.openings import Search
from scheduling.selectors.public import free_times, public_services
from tests.factories.patients import PatientFactory

DONE = [InteractionStatus.CLOSED, InteractionStatus.ABANDONED]
SCALE = 150


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker, tmp_path_factory):
    """One clinic for all tests here; what a test changes is rolled back."""
    folder = tmp_path_factory.mktemp("aurora")
    with django_db_blocker.unblock(), override_settings(DATA_DIR=folder):
        seeding.empty()
        yield seeding.seed(patients=SCALE, number=7), folder
        seeding.empty()


@pytest.fixture
def clinic(seeded, db, settings):
    settings.DATA_DIR = seeded[1]
    return seeded[0]


def test_a_second_run_changes_nothing_and_says_so(clinic, capsys):
    before = (Patient.objects.count(), Interaction.objects.count(), Message.objects.count(), User.objects.count())
    call_command("seed", "--scale", "50")
    assert capsys.readouterr().out == "The clinic is there already. Nothing to do.\n"
    assert (
        Patient.objects.count(),
        Interaction.objects.count(),
        Message.objects.count(),
        User.objects.count(),
    ) == before


def test_reset_is_refused_outside_a_demo(clinic):
    before = Patient.objects.count()
    with pytest.raises(CommandError, match="DEBUG=0"):
        call_command("seed", "--reset")
    assert Patient.objects.count() == before


def test_the_staff_stand_in_their_teams_and_can_sign_in(clinic, client):
    roles = dict(User.objects.values_list("role").annotate(n=Count("id")).order_by())
    assert roles == {
        Role.AGENT: 8,
        Role.CLINICAL_AGENT: 3,
        Role.PARTNER_AGENT: 4,
        Role.SUPERVISOR: 2,
        Role.ADMIN: 1,
        Role.AUDITOR: 1,
    }
    teams = dict(Team.objects.annotate(n=Count("members")).values_list("slug", "n"))
    assert teams == {"front-desk": 5, "nurse-line": 3, "billing": 3, "night-partner": 4}
    assert list(Team.objects.filter(is_partner=True).values_list("slug", flat=True)) == ["night-partner"]
    assert Queue.objects.count() == 6
    for login in ("agent", "clinical", "partner", "supervisor", "admin", "auditor"):
        assert User.objects.get(email=f"{login}@aurora.example").check_password(PASSWORD)


def test_the_history_has_ten_contacts_a_patient_on_every_channel_in_three_languages(clinic):
    closed = Interaction.objects.filter(status__in=DONE)
    assert closed.count() == SCALE * 10
    assert set(closed.values_list("channel_kind", flat=True)) == {"voice", "sms", "whatsapp", "email", "form"}
    assert set(closed.values_list("language", flat=True)) == {"en", "es", "pt"}
    per_contact = Message.objects.filter(interaction__status__in=DONE).count() / closed.count()
    assert 2.7 < per_contact < 3.5


def test_every_closed_contact_says_why_how_it_ended_and_what_comes_next(clinic):
    closed = Interaction.objects.filter(status=InteractionStatus.CLOSED)
    assert closed.filter(Q(reason=None) | Q(disposition=None) | Q(outcome="") | Q(closed_at=None)).count() == 0
    unsettled = closed.filter(disposition__is_resolved=False)
    assert unsettled.count() > 0
    assert unsettled.filter(Q(next_step="") | Q(next_step_owner=None) | Q(case=None)).count() == 0
    assert closed.exclude(case=None).exclude(case__patient_id=F("patient_id")).count() == 0
    live = Case.objects.filter(status__in=[CaseStatus.OPEN, CaseStatus.WAITING])
    assert live.count() > 0
    assert live.filter(created_at__lt=timezone.now() - timedelta(days=13)).count() == 0


def test_nothing_lies_in_the_future_or_before_its_beginning(clinic):
    now = timezone.now()
    assert Message.objects.filter(Q(occurred_at__gt=now) | Q(created_at__gt=now)).count() == 0
    assert Interaction.objects.filter(Q(closed_at__gt=now) | Q(last_message_at__gt=now)).count() == 0
    assert Interaction.objects.filter(closed_at__lt=F("last_message_at")).count() == 0
    assert Message.objects.filter(occurred_at__lt=F("interaction__opened_at")).count() == 0
    oldest = Interaction.objects.order_by("opened_at").first()
    assert timedelta(days=88) < now - oldest.opened_at <= timedelta(days=91)
    ids = list(Interaction.objects.filter(status__in=DONE).order_by("id").values_list("opened_at", flat=True))
    assert ids == sorted(ids)


def test_the_desk_has_open_work_of_every_sort(clinic):
    live = Interaction.objects.exclude(status__in=DONE)
    assert live.count() == clinic.open_now == SCALE // 4 + 1  # the voicemail
    assert live.filter(status=InteractionStatus.QUEUED, owner=None, unread_count__gt=0).count() >= 10
    assert live.filter(owner__email="agent@aurora.example").count() >= 5
    assert set(live.values_list("status", flat=True)) == {"queued", "offered", "active", "snoozed", "wrap_up"}
    messages = Message.objects.filter(interaction__in=live)
    assert messages.filter(status=MessageStatus.FAILED, error_code="30003").count() >= 2
    assert messages.filter(status=MessageStatus.SUPPRESSED, gate_reason="opted_out").count() >= 1
    assert live.filter(patient=None, is_contact_shared=True).count() >= 2
    assert live.filter(patient=None, is_contact_shared=False).count() >= 2
    for attachment in Attachment.objects.all():
        assert attachment.file.read()[:4] in (b"\x89PNG", b"%PDF", b"RIFF")
        assert attachment.file.size == attachment.size
    assert Attachment.objects.count() >= 3


def test_calls_and_a_voicemail_can_be_heard(clinic):
    recordings = list(Recording.objects.filter(status="stored"))
    voicemail = Attachment.objects.get(message__channel_kind=ChannelKind.VOICE)
    assert [one.file.read(4) for one in [*recordings, voicemail]] == [b"RIFF"] * 13
    assert {one.lines.count() for one in recordings} == {3}
    assert voicemail.message.interaction.calls.get().status == "voicemail"


def test_records_wait_to_be_decided_on_and_one_merge_can_be_undone(clinic):
    open_pairs = DuplicateSuggestion.objects.filter(status="open")
    assert open_pairs.count() >= 3
    merge = PatientMerge.objects.get()
    assert (merge.undone_at, merge.source.merged_into) == (None, merge.target)
    listed = PatientImport.objects.get()
    statuses = list(listed.rows.order_by("position").values_list("status", flat=True))
    assert (listed.status, statuses) == ("checked", ["ready", "ready", "wrong", "wrong", "wrong", "ready", "ready"])


def test_an_opened_glass_has_its_trail(clinic):
    glass = BreakGlass.objects.exclude(ended_at=None).order_by("-pk").first()
    trail = AuditEntry.objects.filter(patient_id=glass.patient_id, actor=glass.user).order_by("pk")
    assert list(trail.values_list("action", flat=True))[-3:] == ["broke_glass", "viewed", "closed"]


def test_a_shared_phone_belongs_to_relatives(clinic):
    shared = Interaction.objects.exclude(status__in=DONE).filter(is_contact_shared=True)
    for interaction in shared:
        holders = Patient.objects.filter(contact_points__value=interaction.contact_value).distinct()
        assert holders.count() > 1
        assert RelatedPerson.objects.filter(patient__in=holders, relative__in=holders).exists()


def test_forms_keep_answers_and_the_consent_as_it_stood(clinic):
    assert set(WebForm.objects.values_list("slug", flat=True)) == {"contact", "complaint", "refill"}
    submission = FormSubmission.objects.order_by("-id").first()
    assert submission.consents == [{"key": "consent", "text": CONSENT_TEXT, "version": "2026-01", "given": True}]
    assert submission.reference == submission.interaction.reference
    message = submission.interaction.messages.get(kind="form")
    assert message.text == next(one["value"] for one in submission.answers if one["key"] == "message")


def test_quarantine_holds_raw_sources(clinic):
    events = WebhookEvent.objects.filter(status=EventStatus.QUARANTINED)
    assert events.count() == 3
    assert [event.pk for event in events if not bytes(event.body) or not event.error] == []


def test_the_audit_chain_holds(clinic):
    assert AuditEntry.objects.count() > 100
    assert list(verify()) == []


def test_templates_are_those_of_the_simulated_account(clinic):
    account = {content["sid"]: content for content in demo_contents("AC0")}
    ours = {template.external_id: template for template in MessageTemplate.objects.all()}
    assert set(ours) == set(account)
    for sid, template in ours.items():
        content = account[sid]
        assert template.body == next(iter(content["types"].values()))["body"]
        assert template.status == content["approval"]["status"]
        assert [variable["key"] for variable in template.variables] == list(content["variables"])


def test_new_rows_get_ids_of_their_own(clinic):
    last = Interaction.objects.order_by("-id").first()
    fresh = Interaction.objects.create(
        channel=last.channel, channel_kind=last.channel_kind, queue=last.queue, thread_key="fresh"
    )
    assert fresh.pk > last.pk
    assert PatientFactory().pk > SCALE


def test_the_provider_knows_every_seeded_message(clinic, settings, make_simulator, webhook_receiver):
    provider = make_simulator(webhook_receiver.url, data_dir=settings.DATA_DIR)
    settings.TWILIO_API_BASE_URL = provider.url
    now = timezone.now()
    result = reconcile(provider="twilio_messaging", since=now - timedelta(days=92), until=now)
    assert (result.missing, result.unknown, result.unconfirmed) == ([], [], [])
    on_twilio = Message.objects.filter(channel_kind__in=[ChannelKind.SMS, ChannelKind.WHATSAPP]).exclude(external_id="")
    assert result.events == on_twilio.count()


def test_the_saved_views_are_understood_and_find_something(clinic):
    supervisor = User.objects.get(email="supervisor@aurora.example")
    found = {view.name: (read(view.conditions).dropped, fitting(supervisor, read(view.conditions), view.order)[0])
             for view in SavedView.objects.all()}  # fmt: skip
    assert set(found) == {"Trust at risk", "Portuguese", "Urgent and free", "Strangers who wait"}
    assert [dropped for dropped, _count in found.values()] == [0, 0, 0, 0]
    assert all(count for _dropped, count in found.values())


def test_patients_may_book_and_an_absence_is_being_dealt_with(clinic, client):
    for service in public_services():
        search = Search(service, timezone.localdate(), timezone.localdate() + timedelta(days=20))
        assert free_times(search, now=timezone.now()).offers, service.code
    (figures,) = mass_moves()
    assert (figures.counts["moved"], figures.total > figures.left > 0) == (1, True)


def test_a_class_fills_and_one_patient_comes_every_week(clinic):
    sessions = with_taken(GroupSession.objects.filter(service__code="prenatal-class", starts_at__gt=timezone.now()))
    assert [(one.taken, one.places, one.visits.count()) for one in sessions.order_by("starts_at")] == [
        (8, 8, 8), (5, 8, 5), (2, 8, 2),
    ]  # fmt: skip
    visits = list(AppointmentSeries.objects.get().visits.order_by("series_number"))
    days = [(visit.visit_date - visits[0].visit_date).days for visit in visits]
    assert (days, {visit.status for visit in visits}) == ([0, 7, 14, 21, 28, 35], {"booked"})
