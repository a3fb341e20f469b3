from django.contrib.postgres.indexes import GistIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    """A search over many practitioners looks at a few hours of all."""

    atomic = False
    dependencies = [
        ("scheduling", "0010_group_sessions"),
    ]
    operations = [
        AddIndexConcurrently("occupancy", GistIndex(fields=["span"], name="occupancy_by_time")),
    ]
