"""Abstract models that every app may use."""

from functools import cache
from typing import Any, ClassVar

from django.db import models
from django.db.models.manager import Manager
from django.utils.encoding import force_str
from django_fsm import ConcurrentTransitionMixin, FSMFieldMixin


@cache
def _words_of(field: "models.Field[Any, Any]") -> dict[Any, Any]:
    return dict(field.flatchoices)


class WordedModel(models.Model):
    """`get_…_display()` as Django's own, which puts the words of all choices together anew for each row it names."""

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field: "models.Field[Any, Any]") -> Any:
        value = getattr(self, field.attname)
        return force_str(_words_of(field).get(value, value), strings_only=True)


class TimeStampedModel(WordedModel):
    """Adds the two times every row has, both UTC."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


@cache
def _status_names(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.fields if isinstance(field, FSMFieldMixin))


class SafeFSM(ConcurrentTransitionMixin, WordedModel):
    """Base of every model with a protected status.

    django-fsm's own mixin keeps a stale status through ``refresh_from_db`` and raises in ``full_clean``;
    this one reloads protected fields and leaves them out of form validation.
    """

    objects: ClassVar[Manager[Any]]

    class Meta:
        abstract = True

    def _protected_fields(self) -> set[str]:
        return {f.attname for f in self._meta.concrete_fields if isinstance(f, FSMFieldMixin) and f.protected}

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        """Reload the row; a protected status is reloaded too instead of raising."""
        loaded = {f.attname for f in self._meta.concrete_fields} - self.get_deferred_fields()
        wanted = set(fields) if fields is not None else loaded
        for attname in self._protected_fields() & wanted:
            self.__dict__.pop(attname, None)
        super().refresh_from_db(using=using, fields=sorted(wanted), from_queryset=from_queryset)

    def _update_initial_state(self) -> None:
        """Remember the loaded statuses only: reading a deferred one here would load it into every partial reload.

        Every row that is read passes here, so the names are looked up once per model.
        """
        values = self.__dict__
        self._ConcurrentTransitionMixin__initial_states = {
            name: values[name] for name in _status_names(type(self)) if name in values
        }

    def clean_fields(self, exclude: Any = None) -> None:
        """Validate all but the protected status."""
        super().clean_fields(exclude=set(exclude or ()) | self._protected_fields())
