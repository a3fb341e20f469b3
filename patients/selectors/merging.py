"""What belongs to a record, so that a merge can move it: found from the models, whoever adds one later."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, ForeignKey, Max, Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from patients.enums import MergedItem, Sensitivity
from patients.models import Patient, PatientMerge, PatientMergeItem

LEFT_ALONE = {
    *("patients.MatchProfile", "patients.DuplicateSuggestion", "patients.PatientMerge", "patients.PatientImportRow"),
    *("patients.BreakGlass", "patients.ErasureRequest"),
    *("inbox.PortalSession", "inbox.OneTimeCode", "inbox.IdentityCheck"),
}
"""Made from records, or facts about a record as it then was: a right to open the one, a code sent for it, a wish to
have it erased, say nothing of the other."""
PROTECTING = {"sensitivity", "is_do_not_contact", "deceased_date"}
SET_APART = {"id", "mrn", "created_at", "updated_at", "merged_into"} | PROTECTING
MOST_LISTED = 200
WORDS = {
    "patients.ContactPoint": _("Phones and e-mail addresses"),
    "patients.Identifier": _("Identity numbers"),
    "patients.PostalAddress": _("Postal addresses"),
    "patients.Consent": _("Consents"),
    "patients.RelatedPerson": _("Relatives"),
    "patients.Alert": _("Alerts"),
    "patients.ProgramEnrolment": _("Programs"),
    "patients.PendingResult": _("Results and authorisations"),
    "patients.Coverage": _("Coverage"),
    "patients.LifeEvent": _("Life events"),
    "patients.Patient": _("Records merged before"),
    "inbox.Interaction": _("Conversations"),
    "inbox.Case": _("Cases"),
    "complaints.Complaint": _("Complaints"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """One way in which rows belong to a patient: `name` is `app.Model.field`."""

    name: str
    model: type[Model]
    field: "ForeignKey[Any, Any]"

    @property
    def title(self) -> str | Promise:
        """What these rows are called."""
        return WORDS.get(self.model._meta.label) or str(self.model._meta.verbose_name_plural).capitalize()

    def ids_of(self, patient_id: int) -> list[int]:
        """Ids of the rows that belong to this patient, in order."""
        rows = self.model._default_manager.filter(**{self.field.name: patient_id})
        return list(rows.order_by("pk").values_list("pk", flat=True))


def links() -> dict[str, Link]:
    """Every foreign key to a patient in the house by name, but those of what is made from records."""
    found = {}
    for relation in Patient._meta.get_fields(include_hidden=True):
        is_reverse = relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)
        if not is_reverse or relation.related_model._meta.label in LEFT_ALONE or relation.field.primary_key:  # type: ignore[union-attr]
            continue
        model: Any = relation.related_model
        name = f"{model._meta.label}.{relation.field.name}"  # type: ignore[union-attr]
        found[name] = Link(name, model, relation.field)  # type: ignore[union-attr, arg-type]
    return dict(sorted(found.items()))


def high_water() -> dict[str, int]:
    """The last id of each kind of row now: what is newer comes after a merge."""
    return {link.name: link.model._default_manager.aggregate(last=Max("pk"))["last"] or 0 for link in links().values()}


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of one kind."""

    title: str | Promise
    count: int


def contents(patient: Patient) -> list[Count]:
    """What a merge would move from this record, by kind, those with something only."""
    found: dict[str, list[Any]] = {}
    for link in links().values():
        entry = found.setdefault(link.model._meta.label, [link.title, 0])
        entry[1] += link.model._default_manager.filter(**{link.field.name: patient}).count()
    return [Count(title, number) for title, number in found.values() if number]


def fields_to_choose() -> "list[Field[Any, Any]]":
    """Fields of a record of which a merge keeps the one or the other."""
    return [
        field
        for field in Patient._meta.concrete_fields
        if field.editable and not getattr(field, "generated", False) and field.name not in SET_APART
    ]


@dataclass(frozen=True, slots=True)
class Choice:
    """One field side by side; `is_suggested` when the source knows what the target does not."""

    name: str
    title: str
    source: object
    target: object
    is_suggested: bool


def choices(source: Patient, target: Patient) -> list[Choice]:
    """The fields in which two records differ, with what each says."""
    found = []
    for field in fields_to_choose():
        theirs, ours = field.value_from_object(source), field.value_from_object(target)
        if theirs != ours:
            title = str(field.verbose_name).capitalize()
            is_blank = ours in field.empty_values or (field.name == "gender" and ours == "unknown")
            shown = _shown(source, field), _shown(target, field)
            found.append(Choice(field.name, title, *shown, is_blank and theirs not in field.empty_values))
    return found


def _shown(patient: Patient, field: "Field[Any, Any]") -> object:
    show = getattr(patient, f"get_{field.name}_display", None)
    return show() if show else field.value_from_object(patient)


def strictest(source: Patient, target: Patient) -> dict[str, object]:
    """What protects the patient holds for the joined record, whichever record said it."""
    found: dict[str, object] = {}
    if source.sensitivity != Sensitivity.NONE and target.sensitivity == Sensitivity.NONE:
        found["sensitivity"] = source.sensitivity
    if source.is_do_not_contact and not target.is_do_not_contact:
        found["is_do_not_contact"] = True
    if source.deceased_date and not target.deceased_date:
        found["deceased_date"] = source.deceased_date
    return found


def as_json(value: object) -> object:
    """A field's value as it stands in the journal."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


@dataclass(frozen=True, slots=True)
class Addition:
    """A row that came to the joined record after the merge; `key` is what a form sends back."""

    key: str
    title: str | Promise
    number: int
    at: datetime | None


def additions(merge: PatientMerge) -> list[Addition]:
    """What was added to the target since this merge and came from no other record; at most 200 of each kind."""
    return [
        Addition(f"{link.name}:{row.pk}", link.title, row.pk, getattr(row, "created_at", None))
        for link in links().values()
        for row in newer_rows(merge, link)[:MOST_LISTED]
    ]


def newer_rows(merge: PatientMerge, link: Link) -> Any:
    """Rows of one kind that were added to the target since this merge, in order."""
    brought = PatientMergeItem.objects.filter(link=link.name, what=MergedItem.MOVED, merge__target=merge.target_id)
    mine = {link.field.name: merge.target_id, "pk__gt": merge.high_water.get(link.name, 0)}
    rows = link.model._default_manager.filter(**mine)
    return rows.exclude(pk__in=brought.filter(merge__undone_at=None).values("object_id")).order_by("pk")


def what_moved(merge: PatientMerge) -> list[Count]:
    """What a merge did, by kind."""
    known = links()
    found: dict[str, list[Any]] = {}
    for item in PatientMergeItem.objects.filter(merge=merge).values_list("link", "what"):
        link = known.get(item[0])
        if item[1] == MergedItem.MOVED and link:
            entry = found.setdefault(link.model._meta.label, [link.title, 0])
            entry[1] += 1
    return [Count(title, number) for title, number in found.values()]


def field_titles(names: Iterable[str]) -> list[str]:
    """These fields of a record as people call them."""
    return [str(Patient._meta.get_field(name).verbose_name).capitalize() for name in names]  # type: ignore[union-attr]
