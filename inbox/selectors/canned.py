"""Canned replies as a person may use, read and change them, and the variables they carry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import Team, User
from contact_center.accounts.policies import can
from inbox import policies, variables
from inbox.models import CannedReply, Interaction, Macro

OFFERED = 200


@dataclass(frozen=True, slots=True)
class Variable:
    """What one variable means, a sample for previews, and its value in a conversation ("" where it has none)."""

    label: str | Promise
    sample: str
    value: Callable[[User, Interaction], str]


@dataclass(slots=True)
class Offer:
    """A canned reply as it would stand in the reply box. `missing` are the variables somebody must fill in."""

    reply: CannedReply
    text: str
    missing: list[str]


def _patient(name: str) -> Callable[[User, Interaction], str]:
    return lambda user, interaction: str(getattr(interaction.patient, name)) if interaction.patient else ""


def _reference(user: User, interaction: Interaction) -> str:
    return interaction.reference or (interaction.case.reference if interaction.case else "")


VARIABLES: dict[str, Variable] = {
    "patient.given_name": Variable(_("The patient's given name"), "María Fernanda", _patient("given_name")),
    "patient.family_name": Variable(_("The patient's family name"), "Quispe Rojas", _patient("family_name")),
    "patient.full_name": Variable(_("The patient's whole name"), "María Fernanda Quispe Rojas", _patient("full_name")),
    "agent.name": Variable(_("Your name"), "Rosa Delgado", lambda user, interaction: user.get_full_name()),
    "agent.given_name": Variable(_("Your given name"), "Rosa", lambda user, interaction: user.first_name),
    "clinic.name": Variable(
        _("The name of the organisation"), "Aurora Health", lambda user, interaction: settings.ORGANISATION_NAME
    ),
    "interaction.reference": Variable(_("Reference number of the conversation or its case"), "F-7KQ2M9X", _reference),
    "next_visit": Variable(_("The patient's next visit"), "20/11, 9:40", lambda user, interaction: ""),
}


def register_variable(name: str, variable: Variable) -> None:
    """Let an app above say what a variable means; the last word counts."""
    VARIABLES[name] = variable


def values_for(user: User, interaction: Interaction) -> dict[str, str]:
    """Every variable's value in this conversation. No query beyond what the interaction carries."""
    return {name: variable.value(user, interaction) for name, variable in VARIABLES.items()}


def sample_of(body: str) -> str:
    """The text with invented values, for the preview in the settings."""
    return variables.fill(body, {name: variable.sample for name, variable in VARIABLES.items()})


def unknown_variables(text: str) -> list[str]:
    """Variables of the text that nobody registered, as they are written."""
    return [variables.written(name) for name in variables.names_in(text) if name not in VARIABLES]


def teams_of(user: User) -> list[int]:
    """Ids of the person's teams."""
    return list(user.memberships.values_list("team_id", flat=True))


def teams_led_by(user: User) -> list[int]:
    """Ids of the teams this person leads."""
    return list(user.memberships.filter(is_lead=True).values_list("team_id", flat=True))


def teams_kept_by(user: User) -> QuerySet[Team]:
    """Teams for which this person may keep texts and macros."""
    if policies.can_share_texts(user):
        return Team.objects.all()
    return Team.objects.filter(pk__in=teams_led_by(user))


def _of_everybody() -> Q:
    return Q(team=None, owner=None)


def texts_visible_to(user: User) -> Q:
    """Condition on canned replies and macros: shared ones, those of the person's teams, their own.

    Whoever may share sees those of all teams; nobody sees what another person keeps for themself.
    """
    if not can(user, Action.WORK_INBOX):
        return Q(pk__in=[])
    mine = _of_everybody() | Q(owner=user)
    return mine | Q(team__isnull=False) if policies.can_share_texts(user) else mine | Q(team__in=teams_of(user))


def texts_usable_by(user: User, interaction: Interaction) -> Q:
    """Condition: shared, own, of the person's teams, or, for whoever sees every queue, of teams serving this one."""
    if not can(user, Action.WORK_INBOX):
        return Q(pk__in=[])
    teams = Q(team__in=teams_of(user))
    if can(user, Action.VIEW_ALL_QUEUES):
        teams |= Q(team__queues=interaction.queue_id)
    return Q(is_active=True) & (_of_everybody() | Q(owner=user) | teams)


def canned_for(user: User, interaction: Interaction, kind: str) -> list[Offer]:
    """Active replies for this channel kind, filled in: the patient's language first, then without one, then others."""
    found = CannedReply.objects.filter(texts_usable_by(user, interaction)).distinct()
    rows = [row for row in found.order_by("title", "pk") if not row.channel_kinds or kind in row.channel_kinds]
    language = (interaction.language or (interaction.patient.language if interaction.patient else ""))[:2]
    rows.sort(key=lambda row: 0 if row.language[:2] == language and language else 1 if not row.language else 2)
    values = values_for(user, interaction)
    return [_offer(row, values) for row in rows[:OFFERED]]


def get_canned_for(user: User, interaction: Interaction, pk: int) -> Offer:
    """One reply that this person may use here, filled in. Raises CannedReply.DoesNotExist."""
    found = CannedReply.objects.filter(texts_usable_by(user, interaction), pk=pk).distinct()
    return _offer(found.get(), values_for(user, interaction))


def _offer(row: CannedReply, values: dict[str, str]) -> Offer:
    text = variables.fill(row.body, values)
    return Offer(row, text, [variables.written(name) for name in variables.names_in(text)])


def kept_texts(user: User, model: type[CannedReply] | type[Macro]) -> QuerySet[Any]:
    """All canned replies or macros this person may see in the settings, active ones first."""
    found = model._default_manager.filter(texts_visible_to(user)).select_related("team", "owner")
    return found.order_by("-is_active", *(model._meta.ordering or []), "pk")


def get_text_for(user: User, model: type[CannedReply] | type[Macro], pk: int) -> Any:
    """One of `kept_texts` that this person may change. Raises the model's DoesNotExist for all others alike."""
    row = kept_texts(user, model).get(pk=pk)
    if not policies.can_keep_text(user, row, teams_led_by(user)):
        raise model.DoesNotExist
    return row
