import django.db.models.deletion
import django_fsm
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from contact_center.common.schema import CreateModels


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels([
            CreateModel(
                name='Job',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('kind', models.CharField(max_length=40)),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to=settings.AUTH_USER_MODEL)),
                    ('title', models.CharField(max_length=120)),
                    ('parameters', models.JSONField(default=dict)),
                    ('status', django_fsm.FSMField(choices=[('queued', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('stopped', 'Stopped'), ('failed', 'Failed')], default='queued', max_length=50, protected=True)),
                    ('total', models.PositiveIntegerField(default=0)),
                    ('done_count', models.PositiveIntegerField(default=0)),
                    ('failed_count', models.PositiveIntegerField(default=0)),
                    ('is_stop_wanted', models.BooleanField(default=False)),
                    ('claimed_at', models.DateTimeField(blank=True, help_text='Last sign of life of the worker.', null=True)),
                    ('started_at', models.DateTimeField(blank=True, null=True)),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('error', models.CharField(blank=True, max_length=240)),
                    ('file', models.FileField(blank=True, help_text='What an export made.', upload_to='jobs/')),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [
                        models.Index(fields=['owner', '-id'], name='job_owner_recent'),
                        models.Index(condition=models.Q(('status__in', ['queued', 'running'])), fields=['id'], name='job_open'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'done', 'stopped', 'failed'])), name='job_status_known'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='JobItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='jobs.job')),
                    ('object_id', models.BigIntegerField()),
                    ('status', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('failed', 'Failed'), ('skipped', 'Not done')], default='waiting', max_length=10)),
                    ('message', models.CharField(blank=True, max_length=240)),
                ],
                options={
                    'indexes': [
                        models.Index(condition=models.Q(('status', 'waiting')), fields=['job', 'id'], name='job_item_waiting'),
                        models.Index(condition=models.Q(('status', 'failed')), fields=['job', 'id'], name='job_item_failed'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('job', 'object_id'), name='job_item_once'),
                    ],
                },
            ),
        ]),
    ]
