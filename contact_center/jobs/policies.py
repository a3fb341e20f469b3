"""Who may see and steer long work. Pure."""

from contact_center.accounts.models import User
from contact_center.jobs.enums import JobStatus
from contact_center.jobs.models import Job


def can_see(user: User, job: Job) -> bool:
    """Only whoever started it: its items were chosen with that person's rights."""
    return bool(user.is_active and job.owner_id == user.pk)


def can_stop(user: User, job: Job) -> bool:
    """May ask it to stop: its owner, while it is not over."""
    return can_see(user, job) and not job.is_over and not job.is_stop_wanted


def can_try_again(user: User, job: Job) -> bool:
    """May start what is left of it anew: its owner, when it is over and something was not done."""
    is_whole = job.status == JobStatus.DONE and not job.failed_count
    return can_see(user, job) and job.is_over and not is_whole
