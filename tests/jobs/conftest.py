"""A kind of work that only writes down what it did."""

import pytest

from contact_center.common.errors import Refused
from contact_center.jobs import registry


@pytest.fixture
def done(db):
    """Ids in the order in which the kind `noting` did them; 13 is refused, 66 is a fault of ours."""
    noted = []

    def do(job, object_id):
        if object_id == 13:
            raise Refused("Thirteen is taken.")
        if object_id == 66:
            raise ZeroDivisionError
        noted.append(object_id)

    registry.register("noting", registry.Kind(title="Noting", do=do))
    yield noted
    registry._kinds.pop("noting")


@pytest.fixture
def sheet(db):
    """Rows that the kind `listing` writes; a test may change them."""
    rows = [["Name", "Count"], ["María", 1]]

    def write(job):
        yield from rows

    registry.register("listing", registry.Kind(title="Listing", write=write))
    yield rows
    registry._kinds.pop("listing")
