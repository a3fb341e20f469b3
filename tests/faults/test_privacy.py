"""P1 and X2 for patients: every read that shows a patient is on record once, and a hidden patient is nowhere."""

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from contact_center.accounts import services as accounts
from contact_center.accounts.enums import Role
from contact_center.audit.models import AuditEntry
from contact_center.audit.selectors import ACCESSES
from inbox.models import Case, Interaction, Message, Note, Notification, Queue, SavedView
from inbox.selectors import lists, notifications, pane, topics
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.lists import Look
from inbox.services import exports
from inbox.services.next import take_next
from patients.models import Patient
from patients.selectors import people
from scheduling.models import Appointment, WaitlistEntry
from tests.architecture.test_access_matrix import KNOWING, TABLE, product_addresses, url_of
from tests.architecture.urls import addresses
from tests.factories.care import BreakGlassFactory
from tests.factories.inbox import CaseFactory, InteractionFactory, MessageFactory, TaskFactory
from tests.factories.scheduling import EntryFactory

__all__ = ["url_of"]
CANARY = "Zwetschgenmus"
WHO = ("supervisor", "agent", "auditor", "admin")
OWN_CALL = "inbox:call-transfer"  # who is on the line hands it on, whatever became of the record
API_OF = {
    "patient": Patient, "contact-point": None, "interaction": Interaction, "message": Message, "case": Case,
    "task": None, "outbox": None, "appointment": Appointment, "waitlist": WaitlistEntry, "fhir-agenda": Appointment,
}  # fmt: skip


def accesses(since, patient_id):
    """Entries after `since` that say that somebody saw this patient."""
    rows = AuditEntry.objects.filter(pk__gt=since, action__in=ACCESSES).order_by("pk")
    return [row for row in rows if row.patient_id == patient_id or patient_id in ids_in(row.detail)]


def ids_in(detail):
    named = [detail.get(name) or [] for name in ("found", "patients", "candidates")]
    return [pk for ids in named for pk in ids]


def newest():
    return AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def key_for(role):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {accounts.create_api_key(actor=None, name='key', role=role)[1]}")
    return client


@pytest.fixture
def canary(url_of):
    """The patient of every address: nobody else has this name."""
    patient = Interaction.objects.get(pk=Message.objects.first().interaction_id).patient
    Patient.objects.filter(pk=patient.pk).update(family_name=CANARY)
    Interaction.objects.update(contact_name="", contact_value="+13055550188", contact_scheme="phone")
    patient.contact_points.create(scheme="phone", value="+13055550188")
    return patient


def pages():
    """Addresses that have to do with one row: lists redraw themselves and name whom the desk works for."""
    return [one for one in product_addresses() if {"pk", "patient_id", "appointment_id"} & set(one.keywords)]


@pytest.mark.fault
@pytest.mark.timeout(300)
def test_every_read_that_shows_a_patient_leaves_exactly_one_entry(canary, url_of, everybody, signed_in):
    wrong, shown = {}, 0
    for address in pages():
        who = next((name for name in WHO if name in TABLE[address.name][0]), None)
        if who is None:
            continue
        browser, since = signed_in(getattr(everybody, who)), newest()
        with transaction.atomic():
            page = browser.get(url_of(address))
            count = len(accesses(since, canary.pk))
            transaction.set_rollback(True)
        body = page.content.decode(errors="replace") if not page.streaming else ""
        names = CANARY in body
        shown += names
        if (names and count != 1) or count > 1:
            wrong[address.name] = (page.status_code, names, count)
    shown += read_the_api(canary, wrong) + search_everywhere(canary, everybody, signed_in, wrong)
    print(f"P1: {shown} reads showed the patient, {shown - len(wrong)} left exactly one entry each, wrong: {wrong}")
    assert wrong == {}
    assert shown >= 30


def read_the_api(patient, wrong):
    """Every list and every row of the API that concerns the patient."""
    CaseFactory(patient=patient)
    Appointment.objects.update(patient=patient)
    EntryFactory(patient=patient)
    client, shown = key_for(Role.SUPERVISOR), 0
    for address in addresses():
        if not address.name.startswith("api:") or "GET" not in allowed_methods(address):
            continue
        name = address.name.removeprefix("api:").rsplit("-", 1)[0]
        rows = API_OF.get(name)
        if "pk" in address.keywords and rows is None:
            continue
        lookup = {"kind": "Appointment"} if "kind" in address.keywords else {}
        if "pk" in address.keywords:
            lookup["pk"] = patient.pk if rows is Patient else rows.objects.first().pk
        since = newest()
        body = client.get(reverse(address.name, kwargs=lookup)).content.decode()
        count = len(accesses(since, patient.pk))
        names = CANARY in body or "+13055550188" in body or f'"patient":{patient.pk}' in body
        shown += names
        if names and count != 1:
            wrong[address.name] = (names, count)
    return shown


def allowed_methods(address):
    actions = getattr(address.view, "actions", None) or {}
    return {method.upper() for method in actions}


def search_everywhere(patient, everybody, signed_in, wrong):
    """By page, by palette, by the API, and taken away as a file."""
    shown = 0
    for name, data in (("patients:list", {"q": CANARY}), ("inbox:find", {"q": CANARY})):
        browser, since = signed_in(everybody.supervisor), newest()
        body = browser.post(reverse(name), data).content.decode()
        count = len(accesses(since, patient.pk))
        shown += body.count(CANARY) > 1
        if count != 1:
            wrong[f"search {name}"] = count
    since = newest()
    key_for(Role.AGENT).post("/api/v1/patients/search/", {"q": CANARY}, format="json")
    if len(accesses(since, patient.pk)) != 1:
        wrong["search api"] = len(accesses(since, patient.pk))
    job = exports.start_export(actor=everybody.supervisor, look="view=open", total=1)
    since = newest()
    table = str(list(exports.write(job)))
    exported = AuditEntry.objects.filter(pk__gt=since, action="exported").count()
    if (CANARY in table, exported) != (True, 1):
        wrong["export"] = (CANARY in table, exported)
    return shown + 2


@pytest.mark.fault
@pytest.mark.timeout(300)
def test_no_address_of_a_hidden_patient_says_that_it_exists(canary, url_of, everybody, signed_in):
    """X2: rows of a protected patient as somebody who serves the queue, all GETs of the URLconf."""
    urls = {one.name: (one, url_of(one)) for one in pages() if "patient" in one.name or "inbox" in one.name}
    Patient.objects.filter(pk=canary.pk).update(sensitivity="protected")
    browser, wrong = signed_in(everybody.agent), {}
    tried = 0
    for name, (address, url) in urls.items():
        if not TABLE[name][0] & KNOWING or "agent" not in TABLE[name][0] or is_about_no_patient(address):
            continue
        tried += 1
        with transaction.atomic():
            page = browser.get(url)
            transaction.set_rollback(True)
        body = page.content.decode(errors="replace") if not page.streaming else ""
        if page.status_code != (200 if name == OWN_CALL else 404) or CANARY in body:
            wrong[name] = page.status_code
    print(
        f"X2: {tried} addresses of a protected patient, {tried - len(wrong)} answered as if nobody were there: {wrong}"
    )
    assert wrong == {}
    assert tried >= 25


def is_about_no_patient(address):
    """Rows of the house itself, and the patient of a team's own page."""
    words = ("saved-view", "canned-edit", "macro-edit", "jobs:", "program", "import", "family-member", "notification")
    return any(word in address.name for word in words)


# ---- hidden in lists, counts, previews, search, exports, sockets and the API alike ----


@pytest.fixture
def vip(sms_channel, agent, second_agent, queue):
    """A protected patient whose unowned conversation waits in the agent's queue, with case, task, note and mention."""
    patient = Patient.objects.create(mrn="V-1", given_name="Vera", family_name=CANARY, sensitivity="vip")
    patient.contact_points.create(scheme="phone", value="+13055550199")
    case = CaseFactory(patient=patient, queue=queue, title=f"About {CANARY}")
    row = InteractionFactory(
        channel=sms_channel, patient=patient, case=case, contact_value="+13055550199", snippet=CANARY, unread_count=1
    )
    MessageFactory(interaction=row, text=f"I am {CANARY}")
    TaskFactory(interaction=row, title=f"Call {CANARY}", owner=agent)
    note = Note.objects.create(interaction=row, author=second_agent, body=f"@{agent} see {CANARY}")
    note.mentions.create(user=agent, interaction=row)
    Notification.objects.create(user=agent, kind="mentioned", interaction=row, actor=second_agent, dedupe_key="m")
    SavedView.objects.create(name="All", owner=agent, conditions={})
    return row


def surfaces(user, row, signed_in):
    """Everything of the desk that could betray the conversation to this person: surface → whether it does."""
    browser, view = signed_in(user), {"view": "unassigned"}
    posted = {"inbox:find": {"q": CANARY}, "inbox:search": {"q": CANARY} | view, "patients:list": {"q": CANARY}}
    pages = (
        "inbox:list",
        "inbox:rows",
        "inbox:views",
        "inbox:notifications",
        "inbox:bell",
        "inbox:outbox",
        "patients:list",
    )
    found = {name: CANARY in browser.get(reverse(name), view).content.decode() for name in pages}
    for name, data in posted.items():
        body = browser.post(reverse(name), data, follow=True).content.decode()
        found[f"search {name}"] = body.count(CANARY) > body.count(f'value="{CANARY}"') + body.count(f"“{CANARY}”")
    groups = pane.view_groups_of(user)
    found["counts"] = any(entry.count for group in groups for entry in group["entries"] if entry.key != "mentions")
    found["list"] = bool(lists.view_rows(user, Look.read(pane.chosen_view(groups, "unassigned"), QueryDict())).count())
    found["export"] = bool(interactions_visible_to(user).count())
    found["socket"] = bool(topics.allowed_topics(user, [f"interaction.{row.pk}"]))
    notices = notifications.notices(user, notifications.notifications_of(user))
    found["notice"] = any(notice.about or notice.url for notice in notices)
    found["next"] = take_next_of(user)
    found["record"] = people.patients_visible_to(user).exists()
    for name in ("inbox:interaction", "inbox:side", "inbox:talk"):
        found[name] = browser.get(reverse(name, args=[row.pk])).status_code == 200
    return found


def take_next_of(user):
    with transaction.atomic():
        taken = take_next(actor=user)
        transaction.set_rollback(True)
    return taken is not None


def test_a_protected_patient_is_nowhere_for_those_who_serve_the_queue(vip, agent, signed_in):
    assert Queue.objects.get(pk=vip.queue_id) in pane.queues_of(agent)
    found = surfaces(agent, vip, signed_in)
    assert {name for name, betrays in found.items() if betrays} == set()


def test_the_same_conversation_is_everywhere_once_the_glass_is_broken(vip, agent, signed_in):
    BreakGlassFactory(user=agent, patient=vip.patient)
    found = surfaces(agent, vip, signed_in)
    assert {name for name, shows in found.items() if not shows} <= {
        "inbox:bell", "inbox:outbox", "inbox:views", "patients:list",
    }  # fmt: skip


def test_the_api_hides_it_in_every_list_and_row(vip, sms_channel):
    client = key_for(Role.AGENT)
    lists_of = [one for one in addresses() if one.name.startswith("api:") and one.name.endswith("-list")]
    bodies = {one.name: client.get(reverse(one.name)).content.decode() for one in lists_of}
    assert {name for name, body in bodies.items() if CANARY in body or f'"patient":{vip.patient_id}' in body} == set()
    ids = {"patient": vip.patient_id, "interaction": vip.pk, "case": vip.case_id, "message": vip.messages.get().pk}
    statuses = {name: client.get(reverse(f"api:{name}-detail", args=[pk])).status_code for name, pk in ids.items()}
    assert set(statuses.values()) == {404}


def test_whom_it_is_entrusted_to_answers_but_does_not_open_the_record(vip, agent, supervisor, signed_in):
    from inbox.services.interactions import assign

    assign(actor=supervisor, interaction_id=vip.pk, assignee=agent)
    browser = signed_in(agent)
    page = browser.get(reverse("inbox:interaction", args=[vip.pk])).content.decode()
    assert ("Protected record" in page, "+13055550199" in page.split('id="side-')[1]) == (True, False)
    assert browser.get(reverse("patients:record", args=[vip.patient_id])).status_code == 404
    assert browser.get(reverse("patients:break-glass", args=[vip.patient_id])).status_code == 200
    back = {"reason": "She asks for her results", "back": reverse("inbox:interaction", args=[vip.pk])}
    assert (
        browser.post(reverse("patients:break-glass", args=[vip.patient_id]), back).headers["Location"] == back["back"]
    )
    assert browser.get(reverse("patients:record", args=[vip.patient_id])).status_code == 200


def test_a_stranger_is_told_to_sign_in_wherever_a_patient_is(canary, url_of):
    statuses = {one.name: Client().get(url_of(one)).status_code for one in pages() if one.name.startswith("patients:")}
    assert set(statuses.values()) <= {302, 405}
