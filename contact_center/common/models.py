"""Abstract models that every app may use."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.manager import Manager
from django_fsm import ConcurrentTransitionMixin, FSMFieldMixin


class TimeStampedModel(models.Model):
    """Adds the two times every row has, both UTC."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class SafeFSM(ConcurrentTransitionMixin, models.Model):
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
        """Remember the loaded statuses only: reading a deferred one here would load it into every partial reload."""
        deferred = self.get_deferred_fields()
        self._ConcurrentTransitionMixin__initial_states = {
            field.attname: field.value_from_object(self) for field in self.state_fields if field.attname not in deferred
        }

    def clean_fields(self, exclude: Any = None) -> None:
        """Validate all but the protected status."""
        super().clean_fields(exclude=set(exclude or ()) | self._protected_fields())
