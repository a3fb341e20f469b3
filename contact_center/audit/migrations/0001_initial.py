import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from contact_center.common.schema import CreateModels


REFUSE_CHANGES = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""
ALLOW_CHANGES = """
DROP TRIGGER audit_entry_no_truncate ON audit_auditentry;
DROP TRIGGER audit_entry_append_only ON audit_auditentry;
DROP FUNCTION audit_refuse_change();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels([
            CreateModel(
                name='AuditChain',
                fields=[
                    ('number', models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                    ('head_sequence', models.BigIntegerField(default=0)),
                    ('head_hash', models.CharField(default='0000000000000000000000000000000000000000000000000000000000000000', max_length=64)),
                ],
            ),
            CreateModel(
                name='AuditEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('chain', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='audit.auditchain')),
                    ('sequence', models.BigIntegerField()),
                    ('occurred_at', models.DateTimeField()),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('action', models.CharField(choices=[('signed_in', 'Signed in'), ('signed_out', 'Signed out'), ('sign_in_failed', 'Failed to sign in'), ('access_denied', 'Was refused'), ('viewed', 'Viewed'), ('searched', 'Searched'), ('exported', 'Exported'), ('created', 'Created'), ('changed', 'Changed'), ('deleted', 'Deleted'), ('sent', 'Sent a message'), ('assigned', 'Assigned'), ('linked', 'Linked to a patient'), ('closed', 'Closed'), ('reopened', 'Reopened'), ('retried', 'Retried'), ('cancelled', 'Cancelled'), ('downloaded', 'Downloaded a file'), ('listened', 'Listened to a call or recording'), ('opted_out', 'Opted out'), ('opted_in', 'Opted in'), ('broke_glass', 'Opened a protected record')], max_length=40)),
                    ('object_type', models.CharField(max_length=60)),
                    ('object_id', models.BigIntegerField(null=True)),
                    ('patient_id', models.BigIntegerField(help_text='The patient concerned; audit lies below patients.', null=True)),
                    ('detail', models.JSONField(default=dict)),
                    ('previous_hash', models.CharField(max_length=64)),
                    ('hash', models.CharField(max_length=64)),
                ],
                options={
                    'indexes': [
                        models.Index(fields=['patient_id', '-occurred_at'], name='audit_by_patient'),
                        models.Index(fields=['actor', '-occurred_at'], name='audit_by_actor'),
                        models.Index(fields=['object_type', 'object_id'], name='audit_by_object'),
                        models.Index(fields=['-occurred_at', '-id'], name='audit_recent'),
                        models.Index(condition=models.Q(('detail__has_key', 'glass')), fields=['-occurred_at', '-id'], name='audit_under_glass'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('chain', 'sequence'), name='audit_entry_sequence_once'),
                    ],
                },
            ),
        ]),
        migrations.RunSQL(REFUSE_CHANGES, ALLOW_CHANGES),
    ]
