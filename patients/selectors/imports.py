"""Reading imports: only one's own, and only by those who may import."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from patients.enums import ImportField, RowStatus
from patients.models import PatientImport, PatientImportRow
from patients.policies import can_import_patients
from patients.selectors.people import patients_visible_to
from patients.tables.reading import FORMULA, TOO_LONG

SHOWN = 100


def imports_visible_to(user: User) -> QuerySet[PatientImport]:
    """The person's own imports, newest first."""
    if not can_import_patients(user):
        return PatientImport.objects.none()
    return PatientImport.objects.filter(owner=user).select_related("check_job", "job").order_by("-pk")


def get_import_for(user: User, pk: int) -> PatientImport:
    """One of the person's own imports. Raises PatientImport.DoesNotExist for all others alike."""
    return imports_visible_to(user).get(pk=pk)


def samples_of(row: PatientImport, *, most: int = 3) -> list[list[str]]:
    """For each column the first values that stand in it, from the rows that were read so far or from the file."""
    from patients.tables.reading import Format, rows_of

    found: list[list[str]] = [[] for _column in row.header]
    with row.file.open("rb") as file:
        for count, (_number, cells) in enumerate(rows_of(file, Format(**row.format))):
            for place, cell in enumerate(cells[: len(found)]):
                if count and cell and len(found[place]) < most:
                    found[place].append(cell.replace(FORMULA, "").replace(TOO_LONG, "…")[:40])
            if count > most * 5:
                break
    return found


def counts_of(row: PatientImport) -> dict[str, Any]:
    """How many rows are in which state, and how many are much like somebody, by level."""
    states = dict(row.rows.order_by().values_list("status").annotate(Count("pk")))
    ready = row.rows.exclude(status=RowStatus.WRONG).order_by()
    levels = dict(ready.exclude(level="").values_list("level").annotate(Count("pk")))
    twins = ready.filter(same_as_row__isnull=False).count()
    return {
        "states": dict.fromkeys(RowStatus.values, 0) | states,
        "levels": dict.fromkeys(("known", "certain", "likely", "possible"), 0) | levels,
        "twins": twins,
    }


def wrong_rows(row: PatientImport) -> list[tuple[int, list[tuple[str, str]]]]:
    """The first rows with errors: number, and (field, sentence) of each."""
    found = row.rows.filter(status=RowStatus.WRONG).order_by("number")[:SHOWN]
    return [(one.number, problems_of(one)) for one in found]


def problems_of(row: PatientImportRow) -> list[tuple[str, str]]:
    """What is wrong with a row: the field as people call it, and a sentence."""
    labels = dict(ImportField.choices)
    return [(str(labels.get(name, _("Row"))), words) for name, words in row.problems]


def alike_rows(user: User, row: PatientImport) -> list[PatientImportRow]:
    """The first rows whose person seems to be here already, the surest first; records that `user` may not open are not
    named."""
    found = row.rows.exclude(level="").exclude(status=RowStatus.WRONG).select_related("like")
    found = found.order_by("number")[:SHOWN]
    seen = set(patients_visible_to(user).filter(pk__in=[one.like_id for one in found]).values_list("pk", flat=True))
    for one in found:
        if one.like_id not in seen:
            one.like = None
    order = {"known": 0, "certain": 1, "likely": 2, "possible": 3}
    return sorted(found, key=lambda one: order.get(one.level, 4))


def report_of(row: PatientImport) -> Iterator[list[str]]:
    """Rows that were not taken in because of errors: number, why, and what stood there; the head first."""
    yield [_("Row"), _("Why"), *(str(heading) for heading in row.header)]
    for one in row.rows.filter(status=RowStatus.WRONG).order_by("number").iterator(chunk_size=500):
        why = "; ".join(f"{field}: {words}" for field, words in problems_of(one))
        yield [str(one.number), why, *(cell.replace(FORMULA, "").replace(TOO_LONG, "…") for cell in one.cells)]
