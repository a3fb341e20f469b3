from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Indexes of a table that is written all day are built beside the work."""

    atomic = False
    dependencies = [("inbox", "0002_names")]

    operations = [
        migrations.AddField(
            model_name="providerhealth",
            name="last_listed_at",
            field=models.DateTimeField(
                blank=True, help_text="Up to here the provider's list was compared with the ledger.", null=True
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status__in", ["queued", "sending"])),
                fields=["address", "id"],
                name="message_outbox_open",
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("direction", "outbound"), ("sent_at__isnull", False)),
                fields=["provider", "sent_at"],
                name="message_sent_span",
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("payload__has_key", "earlier_ids")), fields=["provider"], name="message_tried_again"
            ),
        ),
    ]
