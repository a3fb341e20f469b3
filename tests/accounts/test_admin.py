"""The set-up pages: only for admins, through the services, apart in their content policy."""

import html

import pytest
from django.urls import reverse

from contact_center.accounts.enums import Role
from contact_center.accounts.models import User
from contact_center.audit.models import AuditEntry
from contact_center.common.shell import entries_for
from inbox.enums import ChannelKind, FieldType
from inbox.models import Channel, MessageTemplate, WebForm
from tests.factories.inbox import (
    ChannelFactory,
    DispositionFactory,
    MailboxFactory,
    MessageTemplateFactory,
    ReasonFactory,
    WebFormFactory,
)

PAGES = [
    "accounts_user",
    "accounts_team",
    "accounts_skill",
    "accounts_apikey",
    "inbox_queue",
    "inbox_channel",
    "inbox_mailbox",
    "inbox_reason",
    "inbox_disposition",
    "inbox_messagetemplate",
    "inbox_webform",
    "scheduling_location",
    "scheduling_practitioner",
    "scheduling_schedule",
]


@pytest.fixture
def office(admin, signed_in):
    return signed_in(admin)


def user_form(user=None, **changes):
    fields = {"email": "new@aurora.test", "first_name": "New", "last_name": "One", "language": "en", "role": "agent"}
    if user:
        fields |= {name: getattr(user, name) for name in ("email", "first_name", "last_name", "language", "role")}
    rows = {"skills-TOTAL_FORMS": 0, "skills-INITIAL_FORMS": 0}
    return {
        name: value for name, value in {**fields, "is_active": "on", **rows, **changes}.items() if value is not None
    }


@pytest.mark.parametrize("page", PAGES)
def test_lists_and_forms_of_every_registered_kind_open_for_an_admin(office, page, queue):
    MailboxFactory(), ReasonFactory(), DispositionFactory(), MessageTemplateFactory(), WebFormFactory()
    listing = office.get(reverse(f"admin:{page}_changelist"))
    form = office.get(reverse(f"admin:{page}_add"))
    assert (listing.status_code, form.status_code) == (200, 403 if page == "accounts_apikey" else 200)


@pytest.mark.parametrize("who", ["agent", "clinical_agent", "partner_agent", "supervisor", "auditor", "outsider"])
def test_nobody_else_comes_in(everybody, signed_in, who):
    theirs = signed_in(getattr(everybody, who))
    statuses = {theirs.get(reverse(f"admin:{page}_changelist"), follow=True).status_code for page in PAGES}
    assert statuses == {403}


def test_the_admin_has_no_sign_in_of_its_own(client, db):
    response = client.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/login/?next=/admin/"
    assert client.post("/admin/login/", {"username": "x", "password": "y"}).status_code == 302


def test_the_relaxed_policy_holds_under_admin_only_and_allows_no_inline_script(office):
    admin_policy = office.get("/admin/").headers["Content-Security-Policy"]
    product_policy = office.get("/accounts/sessions/").headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in admin_policy.split(";"))
    assert directives["script-src"] == "'self' 'unsafe-eval'"
    assert directives["style-src"] == "'self' 'unsafe-inline'"
    assert "unsafe" not in product_policy


def test_a_new_person_is_made_by_the_service(office, admin, team):
    response = office.post(reverse("admin:accounts_user_add"), user_form(email="New@Aurora.TEST", teams=[team.pk]))
    user = User.objects.get(email="new@aurora.test")
    assert (response.status_code, list(user.teams.all()), user.has_usable_password()) == (302, [team], False)
    assert AuditEntry.objects.filter(actor=admin, action="created", object_type="user", object_id=user.pk).exists()


def test_switching_somebody_off_ends_their_session(office, agent, signed_in):
    theirs = signed_in(agent)
    response = office.post(reverse("admin:accounts_user_change", args=[agent.pk]), user_form(agent, is_active=None))
    agent.refresh_from_db()
    assert (response.status_code, agent.is_active) == (302, False)
    assert theirs.get("/accounts/sessions/").status_code == 302


def test_the_last_admin_cannot_be_demoted(office, admin):
    response = office.post(reverse("admin:accounts_user_change", args=[admin.pk]), user_form(admin, role="agent"))
    admin.refresh_from_db()
    assert (response.status_code, admin.role) == (200, Role.ADMIN)


def test_a_second_person_with_the_same_address_is_refused_at_the_field(office, agent):
    response = office.post(reverse("admin:accounts_user_add"), user_form(email="AGENT@aurora.test"))
    assert list(response.context["adminform"].form.errors) == ["email"]


def test_a_channel_is_stored_as_providers_spell_it(office, queue):
    fields = {
        "name": "SMS",
        "kind": ChannelKind.SMS,
        "adapter": "twilio_messaging",
        "queue": queue.pk,
        "is_active": "on",
    }
    response = office.post(reverse("admin:inbox_channel_add"), {**fields, "address": "(305) 555-0177"})
    assert (response.status_code, Channel.objects.get().address) == (302, "+13055550177")
    entry = AuditEntry.objects.get(object_type="channel")
    assert (entry.action, entry.object_id) == ("created", Channel.objects.get().pk)
    refused = office.post(reverse("admin:inbox_channel_add"), {**fields, "address": "12"})
    assert list(refused.context["adminform"].form.errors) == ["address"]


def test_a_change_is_on_record_with_its_fields(office, admin):
    channel = ChannelFactory(address="+13055550177")
    fields = {"name": "Other", "kind": "sms", "adapter": "twilio_messaging", "queue": channel.queue_id}
    office.post(
        reverse("admin:inbox_channel_change", args=[channel.pk]),
        {**fields, "address": "+13055550177", "is_active": "on"},
    )
    entry = AuditEntry.objects.get(action="changed")
    assert (entry.actor, entry.object_id, entry.detail) == (admin, channel.pk, {"fields": ["Name"]})


def test_what_history_points_to_cannot_be_deleted(office):
    channel = ChannelFactory()
    assert office.post(reverse("admin:inbox_channel_delete", args=[channel.pk]), {"post": "yes"}).status_code == 403
    assert Channel.objects.count() == 1


@pytest.mark.parametrize(
    ("variables", "is_kept"),
    [
        ('[{"key": "1", "label": "First name", "type": "text"}]', True),
        ("[]", False),
        ('[{"key": "2", "label": "x", "type": "text"}]', False),
        ('{"1": "x"}', False),
        ('["1"]', False),
    ],
)
def test_a_template_describes_exactly_its_variables(office, variables, is_kept):
    fields = {
        "name": "hello",
        "language": "en",
        "channel_kind": "whatsapp",
        "category": "utility",
        "body": "Hello {{1}}",
        "external_id": "HX1",
        "status": "approved",
    }
    office.post(reverse("admin:inbox_messagetemplate_add"), {**fields, "variables": variables})
    assert MessageTemplate.objects.exists() is is_kept


def web_form(channel, **field):
    row = {"key": "topic", "label": "Topic", "type": FieldType.CHOICE, "choices": "One,Two", "position": 0} | field
    return {
        "slug": "ask",
        "title": "Ask",
        "language": "en",
        "channel": channel.pk,
        "priority": 3,
        "is_active": "on",
        "allowed_origins": "https://www.example.org",
        "fields-TOTAL_FORMS": 1,
        "fields-INITIAL_FORMS": 0,
        **{f"fields-0-{name}": value for name, value in row.items()},
    }


def test_a_form_with_its_questions_is_made_on_one_page(office, form_channel):
    response = office.post(reverse("admin:inbox_webform_add"), web_form(form_channel))
    form = WebForm.objects.get()
    assert (response.status_code, form.allowed_origins, form.fields.get().choices) == (
        302,
        ["https://www.example.org"],
        ["One", "Two"],
    )


@pytest.mark.parametrize("field", [{"choices": ""}, {"type": FieldType.CONSENT, "consent_text": "I agree."}])
def test_half_a_question_is_refused(office, form_channel, field):
    response = office.post(reverse("admin:inbox_webform_add"), web_form(form_channel, **field))
    assert (response.status_code, WebForm.objects.count()) == (200, 0)


def test_only_admins_find_the_way_to_the_set_up_pages(admin, supervisor, rf):
    def titles(user):
        request = rf.get("/")
        request.user = user
        return [str(entry["title"]) for entry in entries_for(request)]

    assert ("Set-up" in titles(admin), "Set-up" in titles(supervisor)) == (True, False)


def test_a_web_form_shows_the_frame_to_copy_and_where_it_works(office):
    form = WebFormFactory(slug="visit", title='Ask for a "visit"')
    address = reverse("admin:inbox_webform_change", args=[form.pk])
    page = html.unescape(office.get(address).content.decode())
    assert '<iframe src="http://127.0.0.1:8000/forms/visit/?embed" title="Ask for a &quot;visit&quot;" width' in page
    assert "It works nowhere yet." in page
    WebForm.objects.update(allowed_origins=["https://www.clinic.example"])
    assert "It works on these websites: https://www.clinic.example." in office.get(address).content.decode()
