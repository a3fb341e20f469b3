"""What patients' own tables tell of the past, as entries of the line, and of the future, as next steps."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, Model, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, prepared
from patients.enums import AlertKind, ConsentPurpose, ConsentStatus, PendingKind
from patients.journey import NextStep
from patients.models import (
    Alert,
    Consent,
    Coverage,
    LifeEvent,
    Patient,
    PendingResult,
    ProgramEnrolment,
    StepCompletion,
)
from patients.selectors.care import enrolments_of, pending_of
from patients.timeline import Entry, Look, Place, given_look

PROGRAM = "program__name"


@dataclass(frozen=True, slots=True)
class _Sort:
    """One sort of event: the rows it is in, the field that dates it, their word, their text, and who did it."""

    key: str
    model: type[Model]
    moment: str
    word: str
    text: str
    who: str
    icon: str
    told: Callable[[str, str], tuple[Any, str]]


def _told(sentence: Any) -> Callable[[str, str], tuple[Any, str]]:
    """Title is the sentence, the text is the row's."""
    return lambda word, text: (sentence, text)


def _choice(choices: Any, word: str) -> str:
    return str(choices(word).label) if word in choices.values else word


def _consent(word: str, text: str) -> tuple[Any, str]:
    status, _space, channel = text.partition(" ")
    purpose, said = _choice(ConsentPurpose, word), _choice(ConsentStatus, status)
    return _("Consent: %(purpose)s, %(status)s") % {"purpose": purpose, "status": said}, channel


def _waits(word: str, text: str) -> tuple[Any, str]:
    return _("%(kind)s requested") % {"kind": _choice(PendingKind, word)}, text


def _alert(word: str, text: str) -> tuple[Any, str]:
    return _("Alert: %(kind)s") % {"kind": _choice(AlertKind, word)}, text


SORTS = (
    _Sort("alert", Alert, "created_at", "kind", "text", "created_by", "triangle-alert", _alert),
    _Sort("alert_end", Alert, "ended_at", "kind", "text", "ended_by", "circle-check", _told(_("Alert ended"))),
    _Sort("consent", Consent, "recorded_at", "purpose", "", "recorded_by", "heart-handshake", _consent),
    _Sort("coverage", Coverage, "created_at", "status", "payer", "", "id-card", _told(_("Coverage noted"))),
    _Sort("enrolment", ProgramEnrolment, "created_at", "status", PROGRAM, "owner", "route", _told(_("Program begun"))),
    _Sort("enrolment_end", ProgramEnrolment, "ended_at", "status", PROGRAM, "", "route", _told(_("Program ended"))),
    _Sort("life", LifeEvent, "created_at", "text", "text", "recorded_by", "heart-pulse", _told(_("Worth remembering"))),
    _Sort("pending", PendingResult, "created_at", "kind", "title", "owner", "hourglass", _waits),
    _Sort("pending_here", PendingResult, "arrived_at", "kind", "title", "owner", "file-check", _told(_("Arrived"))),
    _Sort("pending_told", PendingResult, "told_at", "kind", "title", "owner", "check", _told(_("Patient was told"))),
    _Sort("step", StepCompletion, "done_at", "note", "step__title", "done_by", "circle-check", _told(_("Step done"))),
)
_BY_KEY = {sort.key: sort for sort in SORTS}


def _text(path: str) -> Any:
    return Cast(F(path), CharField()) if path else Value("", CharField())


def _selected(sort: _Sort, patient: Any, look: Look) -> Any:
    whose = "enrolment__patient" if sort.model is StepCompletion else "patient"
    dated = sort.model._default_manager.filter(**{whose: patient, f"{sort.moment}__isnull": False})
    rows = dated.filter(look.narrowed(sort.key, sort.moment)).order_by()
    who: Any = Value("", CharField())
    if sort.who:
        name = Concat(F(f"{sort.who}__first_name"), Value(" "), F(f"{sort.who}__last_name"), output_field=CharField())
        who = Coalesce(name, Value(""))
    text = _text(sort.text)
    if sort.key == "consent":
        text = Concat(F("status"), Value(" "), F("channel_kind"), output_field=CharField())
    return rows.annotate(
        line_key=Value(sort.key, CharField()), line_at=F(sort.moment), line_word=_text(sort.word), line_text=text,
        line_who=who, line_pk=F("pk"),
    ).values_list("line_at", "line_key", "line_pk", "line_word", "line_text", "line_who")  # fmt: skip


def _together(patient: Any, look: Look, size: int) -> Any:
    first, *rest = [_selected(sort, patient, look) for sort in SORTS]
    return first.union(*rest, all=True).order_by("-line_at", "-line_key", "-line_pk")[:size]


@prepared
def _plain(size: int, is_later: bool) -> Any:
    """Of the patient 0, before the place after it: eleven sorts of events cost more to put together than to ask for."""
    return _together(Given(0), given_look(1, is_later=is_later), size)


def record_entries(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """What was written into the record itself, newest first. One query, whatever the sorts of events."""
    if look.is_plain:
        rows = _plain(size, bool(look.before)).tuples(patient.pk, *look.given)
    else:
        rows = _together(patient.pk, look, size)
    entries = []
    for at, key, pk, word, text, who in rows:
        title, words = _BY_KEY[key].told(word or "", text or "")
        icon = _BY_KEY[key].icon
        entries.append(Entry(Place(at, key, pk), "record", str(title), words, who.strip(), icon=icon))
    return entries


def record_next_steps(user: User, patient: Patient) -> Iterable[NextStep]:
    """The present step of each program, and what is waited for. Two queries."""
    url = reverse("patients:record", args=[patient.pk])
    for row in enrolments_of(patient):
        yield NextStep(
            str(row.step), str(row.owner or ""), row.step_due_date, row.program.name, f"{url}#piece-programs"
        )
    for one in pending_of(patient):
        is_here = one.arrived_at is not None
        title = _("Tell the patient: %(title)s") if is_here else _("Wait for: %(title)s")
        due = one.expected_date
        words = title % {"title": one.title}
        yield NextStep(
            words, str(one.owner or ""), due, one.get_kind_display(), f"{url}#piece-pending", icon="hourglass"
        )
