"""The clinic's people and desk as rows, and their ids at hand for those who write the history."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from contact_center.accounts.enums import AwayReason, PresenceState, Role
from contact_center.accounts.models import Presence, Skill, Team, TeamMembership, User, UserSkill
from contact_center.aurora import desk, staff, writing
from inbox.enums import ChannelKind, FieldType
from inbox.models import Channel, Disposition, FormField, MessageTemplate, Queue, Reason, WebForm


@dataclass(slots=True)
class Desk:
    """Ids by the names that the data modules use."""

    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    queues: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    dispositions: dict[str, int] = field(default_factory=dict)
    templates: dict[tuple[str, str], MessageTemplate] = field(default_factory=dict)
    forms: dict[str, int] = field(default_factory=dict)
    serving: dict[tuple[str, str], list[User]] = field(default_factory=dict)

    def staff_of(self, queue: str, language: str) -> list[User]:
        """Who serves this queue in this language, else whoever serves it."""
        return self.serving.get((queue, language)) or self.serving[queue, ""]


def set_up() -> Desk:
    """Create staff, queues, channels and forms in the caller's transaction. Raises IntegrityError where they exist."""
    made = Desk()
    teams = _teams_and_people(made)
    _queues(made, teams)
    _words(made)
    _channels(made)
    _forms(made)
    writing.set_up(made.users)
    return made


def _teams_and_people(made: Desk) -> dict[str, Team]:
    teams = {
        slug: Team.objects.create(slug=slug, name=name, is_partner=is_partner) for slug, name, is_partner in staff.TEAMS
    }
    skills = {code: Skill.objects.create(code=code, name=name, kind=kind) for code, name, kind in staff.SKILLS}
    password = make_password(staff.PASSWORD)
    now = timezone.now()
    for number, person in enumerate(staff.EVERYBODY):
        user = User.objects.create(
            email=f"{person.login}@{staff.DOMAIN}",
            password=password,
            first_name=person.first_name,
            last_name=person.last_name,
            role=person.role,
            is_staff=person.role == Role.ADMIN,
            is_superuser=person.role == Role.ADMIN,
        )
        made.users[person.login] = user
        if person.team:
            TeamMembership.objects.create(user=user, team=teams[person.team], is_lead=person.is_lead)
        for code in (*(staff.LANGUAGE_SKILLS[language] for language in person.languages), *person.skills):
            UserSkill.objects.create(user=user, skill=skills[code], level=5 if code in person.skills else 4)
        state, reason = PRESENCE[number % len(PRESENCE)]
        Presence.objects.create(user=user, state=state, reason=reason, since_at=now)
    return teams


PRESENCE = (
    (PresenceState.ONLINE, ""),
    (PresenceState.BUSY, ""),
    (PresenceState.ONLINE, ""),
    (PresenceState.AWAY, AwayReason.LUNCH),
    (PresenceState.OFFLINE, ""),
)


def _queues(made: Desk, teams: dict[str, Team]) -> None:
    for position, (slug, name, serving) in enumerate(staff.QUEUES):
        queue = Queue.objects.create(slug=slug, name=name, position=position)
        queue.teams.set([teams[team] for team in serving])
        made.queues[slug] = queue.pk
        members = [person for person in staff.AGENTS if person.team in serving]
        made.serving[slug, ""] = [made.users[person.login] for person in members]
        for language in staff.LANGUAGE_SKILLS:
            speakers = [made.users[person.login] for person in members if language in person.languages]
            made.serving[slug, language] = speakers


def _words(made: Desk) -> None:
    for position, reason in enumerate(desk.REASONS):
        made.reasons[reason.code] = Reason.objects.create(
            code=reason.code,
            name=reason.name,
            parent_id=made.reasons.get(reason.parent),
            priority=reason.priority,
            is_sensitive=reason.is_sensitive,
            position=position,
        ).pk
    for position, (code, name, is_resolved) in enumerate(desk.DISPOSITIONS):
        made.dispositions[code] = Disposition.objects.create(
            code=code, name=name, is_resolved=is_resolved, position=position
        ).pk


def _channels(made: Desk) -> None:
    for kind, name, adapter, address, queue in desk.CHANNELS:
        made.channels[kind] = Channel.objects.create(
            kind=kind,
            name=name,
            adapter=adapter,
            address=address,
            queue_id=made.queues[queue],
            sends_receipts=kind == ChannelKind.EMAIL,
        ).pk
    for fields in desk.templates():
        made.templates[fields["name"], fields["language"]] = MessageTemplate.objects.create(**fields)


def _forms(made: Desk) -> None:
    for form in desk.FORMS:
        row = WebForm.objects.create(
            slug=form.slug,
            title=form.title,
            introduction=form.introduction,
            channel_id=made.channels[ChannelKind.FORM],
            reason_id=made.reasons[form.reason],
            priority=form.priority,
            receipt_text=form.receipt_text,
        )
        made.forms[form.slug] = row.pk
        FormField.objects.bulk_create(
            FormField(
                form=row,
                key=one.key,
                label=one.label,
                help_text=one.help_text,
                type=one.type,
                role=one.role,
                choices=list(one.choices),
                is_required=one.is_required,
                position=position,
                consent_text=desk.CONSENT_TEXT if one.type == FieldType.CONSENT else "",
                consent_version=desk.CONSENT_VERSION if one.type == FieldType.CONSENT else "",
            )
            for position, one in enumerate(form.fields)
        )
