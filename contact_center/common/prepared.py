"""Questions that are put together once and asked again and again with other values.

The ORM writes the SQL of a question anew each time, which costs more than PostgreSQL's answer: half of a page that asks
twenty (`make bench`). A prepared question is written by the ORM as well, so it says what the selectors say, but once.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from itertools import count
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Expression, Field, Lookup, Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.fields.related import ForeignObject
from django.db.models.query import ModelIterable, get_related_populators
from django.db.models.signals import post_init, pre_init
from psycopg2.extensions import AsIs

from contact_center.common.models import SafeFSM

Row = TypeVar("Row", bound=Model)
PLAIN = (Model.__init__, SafeFSM.__init__)
HOLDS = 2**63  # what no column of whole numbers reaches


class Given(Expression):
    """The place of a value in a question, which is given when it is asked: the `place`-th, from 0."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


@Field.register_lookup
@ForeignObject.register_lookup
class AnyOf(Lookup):  # type: ignore[type-arg]
    """`field__any_of=list`: as `__in`, with one parameter whatever the length, so that the question stays the same."""

    lookup_name = "any_of"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> Any:
        return "%s", [list(value)]

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right})", [*left_values, *right_values]


class Prepared(Generic[Row]):
    """A QuerySet with `Given` places, compiled when it is first asked. Without prefetches: ask for those apart.

    Values go to the database as they are, so give ids, texts and moments, not models. Raises ValueError for a question
    that has read the clock.
    """

    def __init__(self, questions: QuerySet[Row, Any], *, is_planned_once: bool = False) -> None:
        compiler: Any = questions.query.get_compiler(connection=connection)
        self.sql, self.places = compiler.as_sql()
        if any(isinstance(one, date) for one in self.places):
            raise ValueError("A moment that is read while a question is put together would stay there for ever.")
        self.name = f"continuo_{next(_numbers)}" if is_planned_once and not settings.DATABASE_POOLED else ""
        self.model, self.is_rows = questions.model, issubclass(questions._iterable_class, ModelIterable)  # type: ignore[attr-defined]
        self.converters: list[tuple[int, Any]] = [
            (place, (functions, expression))
            for place, (functions, expression) in compiler.get_converters(
                column[0] for column in compiler.select
            ).items()
        ]
        if self.is_rows:
            self._learn_shape(compiler)

    def _learn_shape(self, compiler: Any) -> None:
        info = compiler.klass_info
        self.start, self.end = info["select_fields"][0], info["select_fields"][-1] + 1
        self.names = [column[0].target.attname for column in compiler.select[self.start : self.end]]
        populators: Any = get_related_populators
        self.related = populators(info, compiler.select, connection.alias)
        self.annotated = list((compiler.annotation_col_map or {}).items())

    def tuples(self, *given: Any) -> list[tuple[Any, ...]]:
        """The answer as it comes from the database, converted where a field asks for it. As everywhere in Django, a
        number that no column holds finds nothing."""
        if any(isinstance(one, int) and not -HOLDS <= one < HOLDS for one in given):
            return []
        found = self._answer_planned(given) if self.name else self._answer(self.sql, given)
        if not self.converters:
            return found
        rows = [list(row) for row in found]
        for place, (functions, expression) in self.converters:
            for function in functions:
                for row in rows:
                    row[place] = function(row[place], expression, connection)
        return [tuple(row) for row in rows]

    def around(self, sql: str, *given: Any) -> list[tuple[Any, ...]]:
        """The answer to a statement of ours about this one's rows, which stand in it as `{rows}`."""
        return self._answer(sql.format(rows=self.sql), given)

    def _answer(self, sql: str, given: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        values = [given[one.place] if isinstance(one, Given) else one for one in self.places]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _answer_planned(self, given: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """By a statement that PostgreSQL keeps for this connection, read and planned."""
        values = [given[one.place] for one in self.places if isinstance(one, Given)]
        with connection.cursor() as cursor:
            if self.name not in (known := _planned_on(connection.connection)):
                self._plan()
                known.add(self.name)
            cursor.execute(f"EXECUTE {self.name}" + (f"({', '.join(['%s'] * len(values))})" if values else ""), values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def _plan(self) -> None:
        """PREPARE it; apart from Django's cursor, which would count it among the questions of a page."""
        numbers = count(1)
        places = [AsIs(f"${next(numbers)}") if isinstance(one, Given) else one for one in self.places]
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute(f"PREPARE {self.name} AS {self.sql}", places)

    def ask(self, *given: Any) -> list[Row]:
        """The rows, with what the QuerySet selects beside them: a row that several of them name is one object."""
        known: dict[tuple[int, Any], Any] = {}
        return [self._row(values, known) for values in self.tuples(*given)]

    def one(self, *given: Any) -> Row:
        """The only row. Raises the model's DoesNotExist where there is none."""
        for row in self.ask(*given):
            return row
        raise self.model.DoesNotExist  # type: ignore[attr-defined]

    def _row(self, values: tuple[Any, ...], known: dict[tuple[int, Any], Any]) -> Row:
        row = _make(self.model, self.names, values[self.start : self.end])
        for related in self.related:
            _join(related, values, row, known)
        for name, place in self.annotated:
            setattr(row, name, values[place])
        return row


def _make(model: type[Row], names: list[str], values: tuple[Any, ...]) -> Row:
    """`Model.from_db`, which asks of each of forty columns whether it was read; for models that leave it as it is."""
    if not _is_plain(model):
        return model.from_db(DEFAULT_DB_ALIAS, names, values)
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    row.__dict__.update(zip(names, values, strict=True))
    if isinstance(row, SafeFSM):
        row._update_initial_state()
    return row


@cache
def _is_plain(model: type[Model]) -> bool:
    is_own = model.__init__ not in PLAIN or model.from_db.__func__ is not Model.from_db.__func__  # type: ignore[attr-defined]
    return not (is_own or pre_init.has_listeners(model) or post_init.has_listeners(model))


def _join(related: Any, values: tuple[Any, ...], row: Any, known: dict[tuple[int, Any], Any]) -> None:
    """`RelatedPopulator.populate`, which makes the same colleague anew for each message they wrote."""
    if related.reorder_for_init:
        related.populate(values, row)
        return
    columns = values[related.cols_start : related.cols_end]
    key = id(related), columns[related.pk_idx]
    found = known.get(key)
    if found is None and key[1] is not None:
        found = known[key] = _make(related.model_cls, related.init_list, columns)
        for further in related.related_populators:
            _join(further, values, found, known)
    related.local_setter(row, found)
    if found is not None:
        related.remote_setter(found, row)


_numbers = count(1)
_plans: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def _planned_on(link: Any) -> set[str]:
    """Names of the statements that this connection of the driver knows; a new one knows none."""
    return _plans.setdefault(link, set())


def prepared(build: Callable[..., QuerySet[Row, Any]]) -> Callable[..., Prepared[Row]]:
    """Makes of a function that builds a question one that gives it prepared; one per process and arguments.

    What its `Given` places mean stands in the function's docstring.
    """
    return cache(lambda *shape: Prepared(build(*shape)))


def planned(build: Callable[..., QuerySet[Row, Any]]) -> Callable[..., Prepared[Row]]:
    """As `prepared`, for questions whose best plan does not depend on what they are asked for: rows by their id, or of
    one conversation or patient. PostgreSQL then reads and plans them once per connection, which costs it more than
    the answer. Where connections are pooled it is `prepared`.
    """
    return cache(lambda *shape: Prepared(build(*shape), is_planned_once=True))


@cache
def _read(sql: str) -> tuple[str, str, list[str]]:
    """Name of the kept statement, its text with numbered places, what stands in them."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
    numbered = sql % {name: f"${place}" for place, name in enumerate(names, start=1)}
    return f"continuo_{next(_numbers)}", numbered, names


def ask_planned(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The answer to a statement of ours with places like `%(name)s`, whose best plan does not depend on the values.
    PostgreSQL keeps it for this connection as it keeps what is `planned`."""
    with connection.cursor() as cursor:
        if settings.DATABASE_POOLED:
            cursor.execute(sql, values)
        else:
            name, numbered, names = _read(sql)
            if name not in (known := _planned_on(connection.connection)):
                with connection.wrap_database_errors, connection.connection.cursor() as plain:
                    plain.execute(f"PREPARE {name} AS {numbered}")
                known.add(name)
            places = f"({', '.join(['%s'] * len(names))})" if names else ""
            cursor.execute(f"EXECUTE {name}{places}", [values[name] for name in names])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def give(rows: Mapping[int, Any], name: str, key: str, question: Prepared[Any]) -> None:
    """What `prefetch_related(name)` does for these rows (by id), by a question for the rows whose `key` is one of the
    ids: afterwards `row.name.all()` is a list whose members know their row. One statement; none for rows that have it
    already."""
    back = key.removesuffix("_id")
    caches = {pk: row.__dict__.setdefault("_prefetched_objects_cache", {}) for pk, row in rows.items()}
    parts: dict[int, list[Any]] = {pk: [] for pk, cache in caches.items() if name not in cache}
    for part in question.ask(list(parts)) if parts else ():
        pk = getattr(part, key)
        part._state.fields_cache[back] = rows[pk]
        parts[pk].append(part)
    for pk, found in parts.items():
        caches[pk][name] = found


def give_one(row: Any, name: str, key: str, question: Prepared[Any]) -> None:
    """As `give` for one row whose related rows may be filtered and ordered further, which asks the database again."""
    give({row.pk: row}, name, key, question)
    known = row._prefetched_objects_cache.pop(name)
    found = getattr(row, name).all()
    found._result_cache, found._prefetch_done = list(known), True
    row._prefetched_objects_cache[name] = found
