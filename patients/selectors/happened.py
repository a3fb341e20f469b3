"""What patients' own tables tell of the past, as entries of the line, and of the future, as next steps."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contact_center.accounts.models import User
from patients.enums import AlertKind, ConsentPurpose, ConsentStatus, EnrolmentStatus, PendingKind
from patients.journey import NextStep
from patients.models import Patient
from patients.selectors.care import OPEN_PENDING
from patients.timeline import Entry, Look, Place


@dataclass(frozen=True, slots=True)
class _Sort:
    """One sort of event: rows of a patient, the field that dates them, their word, their text, and who did it."""

    key: str
    rows: Callable[[Patient], Any]
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


g = gettext_lazy
SORTS = (
    _Sort("alert", lambda p: p.alerts, "created_at", "kind", "text", "created_by", "triangle-alert", _alert),
    _Sort(
        "alert_end", lambda p: p.alerts.exclude(ended_at=None), "ended_at", "kind", "text", "ended_by",
        "circle-check", _told(g("Alert ended")),
    ),
    _Sort("consent", lambda p: p.consents, "recorded_at", "purpose", "", "recorded_by", "heart-handshake", _consent),
    _Sort(
        "coverage", lambda p: p.coverages, "created_at", "status", "payer", "", "id-card", _told(g("Coverage noted")),
    ),
    _Sort(
        "enrolment", lambda p: p.enrolments, "created_at", "status", "program__name", "owner", "route",
        _told(g("Program begun")),
    ),
    _Sort(
        "enrolment_end", lambda p: p.enrolments.exclude(ended_at=None), "ended_at", "status", "program__name", "",
        "route", _told(g("Program ended")),
    ),
    _Sort(
        "life", lambda p: p.life_events, "created_at", "text", "text", "recorded_by", "heart-pulse",
        _told(g("Worth remembering")),
    ),
    _Sort("pending", lambda p: p.pending_results, "created_at", "kind", "title", "owner", "hourglass", _waits),
    _Sort(
        "pending_here", lambda p: p.pending_results.exclude(arrived_at=None), "arrived_at", "kind", "title", "owner",
        "file-check", _told(g("Arrived")),
    ),
    _Sort(
        "pending_told", lambda p: p.pending_results.exclude(told_at=None), "told_at", "kind", "title", "owner",
        "check", _told(g("Patient was told")),
    ),
    _Sort(
        "step", lambda p: _steps_of(p), "done_at", "note", "step__title", "done_by", "circle-check",
        _told(g("Step done")),
    ),
)  # fmt: skip
_BY_KEY = {sort.key: sort for sort in SORTS}


def _steps_of(patient: Patient) -> QuerySet[Any]:
    from patients.models import StepCompletion

    return StepCompletion.objects.filter(enrolment__patient=patient)


def _text(path: str) -> Any:
    return Cast(F(path), CharField()) if path else Value("", CharField())


def _selected(sort: _Sort, patient: Patient, look: Look) -> Any:
    rows = sort.rows(patient).filter(look.narrowed(sort.key, sort.moment)).order_by()
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


def record_entries(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """What was written into the record itself, newest first. One query, whatever the sorts of events."""
    first, *rest = [_selected(sort, patient, look) for sort in SORTS]
    rows = first.union(*rest, all=True).order_by("-line_at", "-line_key", "-line_pk")[:size]
    entries = []
    for at, key, pk, word, text, who in rows:
        title, words = _BY_KEY[key].told(word or "", text or "")
        icon = _BY_KEY[key].icon
        entries.append(Entry(Place(at, key, pk), "record", str(title), words, who.strip(), icon=icon))
    return entries


def record_next_steps(user: User, patient: Patient) -> Iterable[NextStep]:
    """The present step of each program, and what is waited for. Two queries."""
    url = reverse("patients:record", args=[patient.pk])
    active = patient.enrolments.filter(status=EnrolmentStatus.ACTIVE).select_related("program", "step", "owner")
    for row in active:
        yield NextStep(
            str(row.step), str(row.owner or ""), row.step_due_date, row.program.name, f"{url}#piece-programs"
        )
    for one in patient.pending_results.filter(status__in=OPEN_PENDING).select_related("owner"):
        is_here = one.arrived_at is not None
        title = _("Tell the patient: %(title)s") if is_here else _("Wait for: %(title)s")
        due = one.expected_date
        words = title % {"title": one.title}
        yield NextStep(
            words, str(one.owner or ""), due, one.get_kind_display(), f"{url}#piece-pending", icon="hourglass"
        )
