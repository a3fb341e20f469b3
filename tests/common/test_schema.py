from django.db import connection, models
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState

from contact_center.common.schema import CreateModels


def tables(*names):
    with connection.cursor() as cursor:
        there = connection.introspection.table_names(cursor)
        return {
            name: [column for column, _ in connection.introspection.get_relations(cursor, name).values()]
            for name in names
            if name in there
        }


def test_models_that_lead_to_each_other_are_created_and_dropped_together(db):
    key = ("id", models.BigAutoField(primary_key=True))
    ward = models.ForeignKey("toys.Ward", models.CASCADE)
    together = CreateModels([CreateModel("Ward", [key]), CreateModel("Bed", [key, ("ward", ward)])])
    before = ProjectState()
    after = before.clone()
    together.state_forwards("toys", after)
    with connection.schema_editor() as editor:
        together.database_forwards("toys", editor, before, after)
    assert tables("toys_ward", "toys_bed") == {"toys_ward": [], "toys_bed": ["id"]}
    with connection.schema_editor() as editor:
        together.database_backwards("toys", editor, after, before)
    assert tables("toys_ward", "toys_bed") == {}
    assert together.describe() == "Create models Ward, Bed"
