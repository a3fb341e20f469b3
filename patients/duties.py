"""What the law asks of each table that has to do with a patient: giving out, erasing, keeping only for so long.

Every app declares its tables in its own `duties.py`, called from `ready()`. Which tables have a path to a patient is
read from the models, and a test fails for one that nobody declared.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q

from patients.enums import DataClass
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class Table:
    """One table. At erasure its rows of the patient are deleted (`scrub` None), kept as they are (`{}`), or keep their
    place in the statistics while these fields take these values.

    `moment` is the field from which age counts; without it rows are never too old. `expires` narrows which rows may be.
    `paths` replaces the ways to the patient that the models show. `hidden` fields are given to nobody; rows outside
    `given` are another person's words and are not given out to the patient.
    """

    model: str
    data_class: DataClass
    scrub: Mapping[str, Any] | None = None
    moment: str = ""
    expires: Q = field(default_factory=Q)
    paths: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    given: Q = field(default_factory=Q)

    @property
    def rows(self) -> models.QuerySet[Any]:
        """All rows, past every filter of its own managers."""
        return apps.get_model(self.model)._base_manager.all()

    def of(self, patient_ids: Collection[int]) -> models.QuerySet[Any]:
        """The rows of these patients."""
        return self.rows.filter(_any(self.ways(), patient_ids))

    def without(self, patient_ids: Collection[int]) -> models.QuerySet[Any]:
        """All rows but those of these patients."""
        return self.rows.exclude(_any(self.ways(), patient_ids)) if patient_ids else self.rows

    def ways(self) -> tuple[str, ...]:
        """Query paths from a row to its patient."""
        return self.paths or paths_to_patient()[apps.get_model(self.model)]

    def file_fields(self) -> list[str]:
        """Fields whose content lies in the file store."""
        fields = apps.get_model(self.model)._meta.concrete_fields
        return [one.name for one in fields if isinstance(one, models.FileField)]


@dataclass(frozen=True, slots=True)
class Beside:
    """What concerns a patient without pointing at them: found, given out and erased by functions of its app.

    `export(patient_ids)` yields rows; `erase(patient_ids)` says how many it took away.
    """

    key: str
    data_class: DataClass
    export: Callable[[Collection[int]], Iterator[dict[str, Any]]] | None = None
    erase: Callable[[Collection[int]], int] | None = None


Obstacle = Callable[[Collection[int]], str]
KeptBack = Callable[[Collection[int]], "models.QuerySet[Any, Any]"]
_tables: dict[str, Table] = {}
_beside: dict[str, Beside] = {}
_obstacles: dict[str, Obstacle] = {}
_kept_back: dict[str, KeptBack] = {}


def declare(*found: Table | Beside) -> None:
    """Add tables; a second declaration of one replaces the first."""
    for one in found:
        if isinstance(one, Table):
            _tables[one.model] = one
        else:
            _beside[one.key] = one


def declare_obstacle(key: str, obstacle: Obstacle) -> None:
    """Add a reason why a patient cannot be erased now: a sentence, or empty."""
    _obstacles[key] = obstacle


def declare_kept_back(object_type: str, ids_of: KeptBack) -> None:
    """Say which rows the trail names in which patients are not to learn of: `ids_of(patient_ids)` gives their ids."""
    _kept_back[object_type] = ids_of


def kept_back(patient_ids: Collection[int]) -> Q:
    """Entries of the trail that tell of something whose existence is not these patients' to know."""
    condition = Q(pk__in=[])
    for object_type, ids_of in _kept_back.items():
        condition |= Q(object_type=object_type, object_id__in=ids_of(patient_ids))
    return condition


def tables() -> list[Table]:
    """Declared tables, those that point at others first, so that they can be deleted in this order."""
    depth = {model: len(paths[0].split("__")) if paths[0] else 0 for model, paths in paths_to_patient().items()}
    return sorted(_tables.values(), key=lambda one: (-depth.get(apps.get_model(one.model), 0), one.model))


def besides() -> list[Beside]:
    """What was declared without being a table of the patient's, by key."""
    return sorted(_beside.values(), key=lambda one: one.key)


def obstacles_of(patient_ids: Collection[int]) -> list[str]:
    """Why these records cannot be erased now, as sentences."""
    return [words for obstacle in _obstacles.values() if (words := obstacle(patient_ids))]


def undeclared() -> set[str]:
    """Tables with a path to a patient for which no app said what its duties are."""
    return {model._meta.label for model in paths_to_patient() if not model._meta.auto_created} - set(_tables)


def records_of(patient: Patient) -> list[int]:
    """Ids of this record and of all that went on in it, however many steps ago."""
    found, waiting = [patient.pk], [patient.pk]
    while waiting:
        merged = Patient.objects.filter(merged_into__in=waiting).exclude(pk__in=found)
        waiting = list(merged.values_list("pk", flat=True))
        found += waiting
    return found


@cache
def paths_to_patient() -> dict[type[models.Model], tuple[str, ...]]:
    """Every model from whose rows foreign keys lead to a patient, with the shortest ways there; `pk` for itself."""
    depth: dict[type[models.Model], int] = {Patient: 0}
    found: dict[type[models.Model], list[str]] = {Patient: [""]}
    waiting = deque([Patient])
    while waiting:
        parent: Any = waiting.popleft()
        for relation in parent._meta.get_fields(include_hidden=True):
            is_pointed_at = relation.auto_created and not relation.concrete and not relation.many_to_many
            child = relation.related_model if is_pointed_at else None
            if child is None or child is Patient:
                continue
            if child not in depth:
                depth[child], found[child] = depth[parent] + 1, []
                waiting.append(child)
            if depth[child] == depth[parent] + 1:
                name = relation.field.name
                found[child] += [f"{name}__{way}" if way else name for way in found[parent]]
    return {model: tuple(ways) if model is not Patient else ("pk",) for model, ways in found.items()}


def _any(ways: tuple[str, ...], patient_ids: Collection[int]) -> Q:
    condition = Q()
    for way in ways:
        condition |= Q(**{f"{way}__in": list(patient_ids)})
    return condition
