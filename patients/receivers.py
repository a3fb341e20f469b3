"""What patients do when a record changed."""

from typing import Any

from contact_center.common.wake import wake
from patients.services import duplicates, importing


def compare_record(sender: Any, patient_id: int, **kwargs: Any) -> None:
    """patients.patient_created, patient_changed, contact_points_changed → its keys are new, and it waits to be
    compared."""
    duplicates.refresh_profiles([patient_id])
    wake(duplicates.TASK, duplicates.QUEUE)


def follow_job(sender: Any, job_id: int, **kwargs: Any) -> None:
    """jobs.job_finished → an import whose rows were checked or taken in goes on."""
    importing.settle_job(job_id)
