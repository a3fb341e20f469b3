"""Every state of a job × every move."""

import pytest
from django_fsm import TransitionNotAllowed

from contact_center.jobs.enums import JobStatus
from contact_center.jobs.models import Job

MOVES = {
    "start": ({"queued"}, "running", ()),
    "finish": ({"running"}, "done", ()),
    "stop": ({"queued", "running"}, "stopped", ()),
    "fail": ({"queued", "running"}, "failed", ("why",)),
}


@pytest.mark.parametrize("state", JobStatus.values)
@pytest.mark.parametrize("name", MOVES)
def test_a_move_works_from_its_states_only(state, name):
    sources, target, args = MOVES[name]
    job = Job(status=state)
    if state in sources:
        getattr(job, name)(*args)
        assert (job.status, job.is_over) == (target, target != "running")
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(job, name)(*args)
