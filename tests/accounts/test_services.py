"""Changing people and their access."""

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from contact_center.accounts import selectors, services, signals
from contact_center.accounts.enums import PresenceState, Role
from contact_center.accounts.models import ApiKey, PresenceChange, User
from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from inbox.models import Interaction, TimelineEvent
from tests.factories.accounts import UserFactory
from tests.factories.inbox import InteractionFactory


@pytest.fixture
def told(django_capture_on_commit_callbacks):
    """Ids of the people whose access was announced as changed."""
    heard = []

    def hear(signal, sender, user_id):
        heard.append(user_id)

    signals.access_changed.connect(hear)
    yield heard
    signals.access_changed.disconnect(hear)


def test_a_new_person_has_no_password_until_they_choose_one(admin, team):
    user = services.create_user(actor=admin, email=" New.Person@Aurora.TEST ", role=Role.AGENT, teams=[team])
    assert (user.email, user.has_usable_password(), list(user.teams.all()), user.is_staff) == (
        "new.person@aurora.test",
        False,
        [team],
        False,
    )


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"email": "no address", "role": "agent"}, "email"),
        ({"email": "AGENT@aurora.test", "role": "agent"}, "email"),
        ({"email": "x@aurora.test", "role": "king"}, "role"),
    ],
)
def test_a_person_who_cannot_be_made_is_refused_at_the_field(admin, agent, fields, at):
    with pytest.raises(ValidationError) as refused:
        services.create_user(actor=admin, **fields)
    assert list(refused.value.message_dict) == [at]


@pytest.mark.parametrize("who", ["agent", "clinical_agent", "partner_agent", "supervisor", "auditor", "outsider"])
def test_only_admins_change_people(everybody, who):
    actor = getattr(everybody, who)
    for verb in (
        lambda: services.create_user(actor=actor, email="x@aurora.test", role=Role.ADMIN),
        lambda: services.change_role(actor=actor, user_id=actor.pk, role=Role.ADMIN),
        lambda: services.disable_user(actor=actor, user_id=everybody.admin.pk),
        lambda: services.create_api_key(actor=actor, name="x", role=Role.ADMIN),
    ):
        with pytest.raises(PermissionDenied):
            verb()
    assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1


def test_a_disabled_person_is_out_at_once(admin, agent, signed_in, told, django_capture_on_commit_callbacks):
    browser = signed_in(agent)
    services.create_api_key(actor=admin, name="x", role=Role.AGENT)
    ApiKey.objects.update(user=agent)
    assert browser.get("/accounts/sessions/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        services.disable_user(actor=admin, user_id=agent.pk)
    assert browser.get("/accounts/sessions/").status_code == 302
    assert (Session.objects.count(), ApiKey.objects.count(), told) == (0, 0, [agent.pk])
    assert selectors.presence_of(agent) == PresenceState.OFFLINE
    assert agent.memberships.count() == 1


def test_another_role_means_signing_in_again(admin, agent, signed_in, told, django_capture_on_commit_callbacks):
    browser = signed_in(agent)
    with django_capture_on_commit_callbacks(execute=True):
        services.change_role(actor=admin, user_id=agent.pk, role=Role.SUPERVISOR)
    assert browser.get("/accounts/sessions/").status_code == 302
    entry = AuditEntry.objects.filter(action="changed").get()
    assert (entry.actor, entry.object_id, entry.detail) == (
        admin,
        agent.pk,
        {"fields": ["role"], "before": "agent", "after": "supervisor"},
    )
    assert told == [agent.pk]


def test_who_becomes_admin_may_enter_the_admin_and_who_ceases_may_not(admin, agent):
    assert services.change_role(actor=admin, user_id=agent.pk, role=Role.ADMIN).is_staff is True
    assert services.change_role(actor=admin, user_id=agent.pk, role=Role.AGENT).is_staff is False


def test_the_last_admin_stays(admin):
    UserFactory(role=Role.ADMIN, is_active=False)
    for verb in (services.disable_user, lambda **k: services.change_role(role=Role.AGENT, **k)):
        with pytest.raises(Refused):
            verb(actor=admin, user_id=admin.pk)
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == (Role.ADMIN, True)


def test_moving_to_another_team_is_announced(admin, agent, other_team, told, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        services.change_teams(actor=admin, user_id=agent.pk, teams=[other_team])
    assert (list(agent.teams.all()), told) == ([other_team], [agent.pk])


def test_presence_keeps_its_history_and_ignores_repetition(agent):
    for state, reason in [("online", ""), ("away", "Lunch"), ("away", "Lunch"), ("online", "")]:
        services.set_presence(user=agent, state=state, reason=reason)
    assert list(PresenceChange.objects.order_by("id").values_list("state", "reason")) == [
        ("online", ""),
        ("away", "Lunch"),
        ("online", ""),
    ]
    assert selectors.presence_of(agent) == "online"


def test_an_unknown_state_is_refused(agent):
    with pytest.raises(ValidationError):
        services.set_presence(user=agent, state="asleep")


def test_a_key_never_reaches_further_than_its_role(admin):
    with pytest.raises(ValidationError) as refused:
        services.create_api_key(actor=admin, name="x", role=Role.PARTNER_AGENT, scopes=["ledger:read"])
    assert list(refused.value.message_dict) == ["scopes"]
    assert not User.objects.filter(is_service_account=True).exists()


def test_a_revoked_key_takes_its_user_with_it(admin):
    key, _text = services.create_api_key(actor=admin, name="Night sync", role=Role.AGENT)
    services.revoke_api_key(actor=admin, key=key)
    assert (ApiKey.objects.count(), User.objects.get(pk=key.user_id).is_active) == (0, False)


def test_what_a_disabled_person_had_open_waits_in_its_queue_again(
    admin, agent, second_agent, sms_channel, django_capture_on_commit_callbacks
):
    mine = InteractionFactory(channel=sms_channel, owner=agent)
    done = InteractionFactory(channel=sms_channel, owner=agent, status="closed", closed_at=timezone.now())
    others = InteractionFactory(channel=sms_channel, owner=second_agent)
    with django_capture_on_commit_callbacks(execute=True):
        services.disable_user(actor=admin, user_id=agent.pk)
    found = {row.pk: (row.status, row.owner_id) for row in Interaction.objects.all()}
    assert found == {
        mine.pk: ("queued", None),
        done.pk: ("closed", agent.pk),
        others.pk: (others.status, second_agent.pk),
    }
    assert [(event.interaction_id, event.kind) for event in TimelineEvent.objects.all()] == [(mine.pk, "returned")]
