"""Every state of a suggestion and of an import × every move."""

import pytest
from django_fsm import TransitionNotAllowed

from patients.enums import ImportStatus, SuggestionStatus
from patients.models import DuplicateSuggestion, PatientImport

SUGGESTION_MOVES = {
    "dismiss": ({"open"}, "dismissed"),
    "reopen": ({"dismissed"}, "open"),
    "settle": ({"open", "dismissed"}, "merged"),
    "part": ({"merged"}, "dismissed"),
}
IMPORT_MOVES = {
    "check_rows": ({"uploaded", "checked"}, "checking"),
    "show": ({"checking"}, "checked"),
    "give_up": ({"checking"}, "uploaded"),
    "run": ({"checked", "stopped"}, "running"),
    "finish": ({"running"}, "done"),
    "stop": ({"running"}, "stopped"),
}
CASES = [
    (model, name, state, sources, target)
    for model, moves, states in (
        (DuplicateSuggestion, SUGGESTION_MOVES, SuggestionStatus.values),
        (PatientImport, IMPORT_MOVES, ImportStatus.values),
    )
    for name, (sources, target) in moves.items()
    for state in states
]


@pytest.mark.parametrize(("model", "name", "state", "sources", "target"), CASES)
def test_a_move_works_from_its_states_only(model, name, state, sources, target):
    row = model(status=state)
    if state in sources:
        getattr(row, name)()
        assert row.status == target
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(row, name)()
