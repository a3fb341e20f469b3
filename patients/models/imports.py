"""Files of patients that are taken in: the file, how its columns are read, and what became of every row."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from contact_center.jobs.models import Job
from patients.enums import ImportStatus, RowStatus
from patients.models.people import Patient

S = ImportStatus


class PatientImport(SafeFSM, TimeStampedModel):
    """One file. `columns` says what each column holds, in order; `settings` how its values are read and dealt with."""

    name = models.CharField(max_length=200)
    file = models.FileField(upload_to="imports/", blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = FSMField(default=S.UPLOADED, choices=S.choices, protected=True)
    format = models.JSONField(default=dict, help_text="Kind, encoding, delimiter, sheet.")
    header = models.JSONField(default=list)
    columns = models.JSONField(default=list)
    settings = models.JSONField(default=dict)
    row_count = models.PositiveIntegerField(default=0)
    check_job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(status__in=S.values), name="patient_import_status_known")]

    def __str__(self) -> str:
        return f"import {self.pk}"

    @transition(field=status, source=[S.UPLOADED, S.CHECKED], target=S.CHECKING)
    def check_rows(self) -> None:
        """The columns are known; every row is read and nothing is written yet."""

    @transition(field=status, source=S.CHECKING, target=S.CHECKED)
    def show(self) -> None:
        """The dry run is over; a person decides."""

    @transition(field=status, source=S.CHECKING, target=S.UPLOADED)
    def give_up(self) -> None:
        """The dry run was stopped or failed; the columns can be chosen anew."""

    @transition(field=status, source=[S.CHECKED, S.STOPPED], target=S.RUNNING)
    def run(self) -> None:
        """Rows are taken in."""

    @transition(field=status, source=S.RUNNING, target=S.DONE)
    def finish(self) -> None:
        """Every row was dealt with."""
        self.finished_at = timezone.now()

    @transition(field=status, source=S.RUNNING, target=S.STOPPED)
    def stop(self) -> None:
        """Somebody stopped it; what was taken in stays, and it can go on."""


class PatientImportRow(models.Model):
    """One row of a file. `cells` is what stood there, `problems` is `[[column, sentence]]`, `patient` who it became."""

    source = models.ForeignKey(PatientImport, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="As a spreadsheet counts: the head is row 1.")
    position = models.PositiveIntegerField(help_text="Counted without the head and empty rows, from 1.")
    cells = models.JSONField()
    status = models.CharField(max_length=10, choices=RowStatus.choices, default=RowStatus.WAITING)
    problems = models.JSONField(default=list)
    level = models.CharField(max_length=10, blank=True, help_text="How much it is like a record that is here.")
    like = models.ForeignKey(Patient, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    digest = models.BigIntegerField(default=0, help_text="Of names and birth date; the same in rows of one person.")
    same_as_row = models.PositiveIntegerField(null=True, blank=True)
    patient = models.ForeignKey(
        Patient, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="patient_import_row_once")]
        indexes = [
            models.Index(fields=["source", "status", "number"], name="patient_import_row_status"),
            models.Index(fields=["source", "position"], name="patient_import_row_position"),
            models.Index(fields=["source", "digest"], name="patient_import_row_digest"),
        ]

    def __str__(self) -> str:
        return f"row {self.number} of import {self.source_id}"
