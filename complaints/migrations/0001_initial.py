import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import django_fsm
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from contact_center.common.schema import CreateModels


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('inbox', '0001_initial'),
        ('patients', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels([
            CreateModel(
                name='Complaint',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('reference', models.CharField(max_length=16, unique=True)),
                    ('patient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='complaints', to='patients.patient')),
                    ('interaction', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='complaints', to='inbox.interaction')),
                    ('received_by', models.CharField(choices=[('voice', 'Call'), ('whatsapp', 'WhatsApp'), ('sms', 'SMS'), ('email', 'E-mail'), ('form', 'Web form'), ('webchat', 'Web chat'), ('letter', 'Letter'), ('in_person', 'In person')], max_length=12)),
                    ('complainant', models.CharField(choices=[('patient', 'The patient'), ('relative', 'A relative or proxy on record'), ('other', 'Somebody else'), ('anonymous', 'Does not want to be named')], default='patient', max_length=12)),
                    ('relative', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='complaints', to='patients.relatedperson')),
                    ('complainant_name', models.CharField(blank=True, max_length=160)),
                    ('kind', models.CharField(choices=[('concern', 'Concern'), ('complaint', 'Complaint'), ('grievance', 'Grievance'), ('compliment', 'Compliment')], default='complaint', max_length=12)),
                    ('category', models.CharField(choices=[('access', 'Reaching us, waiting times'), ('communication', 'Information and advice'), ('attitude', 'How we treated somebody'), ('care', 'Care and treatment'), ('scheduling', 'Visits and scheduling'), ('billing', 'Bills and insurance'), ('privacy', 'Privacy and records'), ('interpreter', 'Language and interpreters'), ('facilities', 'Buildings and equipment'), ('other', 'Something else')], max_length=16)),
                    ('severity', models.CharField(choices=[('low', 'Low'), ('moderate', 'Moderate'), ('high', 'High'), ('critical', 'Critical')], default='moderate', max_length=10)),
                    ('protection', models.CharField(choices=[('none', 'Not protected'), ('staff', 'About somebody who works here'), ('confidential', 'Told in confidence')], default='none', max_length=12)),
                    ('about_staff', models.ManyToManyField(blank=True, help_text='Of whom it speaks: they see nothing of it.', related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('words', models.TextField(help_text="In the complainant's own words.")),
                    ('wanted', models.TextField(blank=True, help_text='What would put it right.')),
                    ('status', django_fsm.FSMField(choices=[('received', 'Received'), ('acknowledged', 'Acknowledged'), ('triaged', 'Triaged'), ('investigating', 'Investigating'), ('response_review', 'Response in review'), ('answered', 'Answered'), ('recovery_follow_up', 'Follow-up'), ('closed', 'Closed'), ('reopened', 'Reopened'), ('escalated', 'Escalated'), ('withdrawn', 'Withdrawn'), ('external_review', 'External review')], default='received', max_length=50, protected=True)),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='complaints', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='complaints', to='accounts.team')),
                    ('next_step', models.CharField(blank=True, max_length=240)),
                    ('next_step_date', models.DateField(blank=True, null=True)),
                    ('response', models.TextField(blank=True)),
                    ('response_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('registered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='registered_complaints', to=settings.AUTH_USER_MODEL)),
                    ('received_at', models.DateTimeField(default=django.utils.timezone.now)),
                    ('acknowledge_by_at', models.DateTimeField(help_text='Until when we promise to say that we have it.')),
                    ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                    ('triaged_at', models.DateTimeField(blank=True, null=True)),
                    ('investigation_began_at', models.DateTimeField(blank=True, null=True)),
                    ('proposed_at', models.DateTimeField(blank=True, null=True)),
                    ('approved_at', models.DateTimeField(blank=True, null=True)),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                    ('follow_up_began_at', models.DateTimeField(blank=True, null=True)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('reopened_at', models.DateTimeField(blank=True, null=True)),
                    ('escalated_at', models.DateTimeField(blank=True, null=True)),
                    ('referred_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'ordering': ['-received_at', '-pk'],
                    'indexes': [
                        models.Index(fields=['patient', '-received_at'], name='complaint_of_patient'),
                        models.Index(condition=models.Q(('status__in', ('closed', 'withdrawn')), _negated=True), fields=['next_step_date'], name='complaint_open_by_due'),
                        models.Index(fields=['-received_at', '-id'], name='complaint_newest'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('status__in', ['received', 'acknowledged', 'triaged', 'investigating', 'response_review', 'answered', 'recovery_follow_up', 'closed', 'reopened', 'escalated', 'withdrawn', 'external_review'])), name='complaint_status_known'),
                        models.CheckConstraint(condition=models.Q(('status__in', ('closed', 'withdrawn')), models.Q(('next_step_date__isnull', False), models.Q(('next_step', ''), _negated=True)), _connector='OR'), name='complaint_open_has_next_step'),
                        models.CheckConstraint(condition=models.Q(('relative', None), models.Q(('complainant', 'relative'), ('patient__isnull', False)), _connector='OR'), name='complaint_relative_of_patient'),
                        models.CheckConstraint(condition=models.Q(models.Q(('status__in', ('closed', 'withdrawn')), _negated=True), ('closed_at__isnull', False), _connector='OR'), name='complaint_over_has_moment'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='ComplaintEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('complaint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='complaints.complaint')),
                    ('verb', models.CharField(choices=[('register', 'Registered'), ('acknowledge', 'Acknowledged'), ('triage', 'Triaged'), ('start_investigation', 'Investigation begun'), ('propose_response', 'Response proposed'), ('send_back', 'Response sent back'), ('approve_response', 'Response approved'), ('answer', 'Answered'), ('follow_up', 'Follow-up begun'), ('close', 'Closed'), ('reopen', 'Opened again'), ('escalate', 'Escalated'), ('withdraw', 'Withdrawn'), ('refer_externally', 'Referred to an outside body'), ('assign', 'Given to somebody'), ('protect', 'Protection changed'), ('follow_conversation', 'Moved with its conversation'), ('link', 'Patient said or changed'), ('give_back', 'Given back: its owner may not see to it any more')], max_length=20)),
                    ('status', models.CharField(choices=[('received', 'Received'), ('acknowledged', 'Acknowledged'), ('triaged', 'Triaged'), ('investigating', 'Investigating'), ('response_review', 'Response in review'), ('answered', 'Answered'), ('recovery_follow_up', 'Follow-up'), ('closed', 'Closed'), ('reopened', 'Reopened'), ('escalated', 'Escalated'), ('withdrawn', 'Withdrawn'), ('external_review', 'External review')], help_text='What it is since then.', max_length=20)),
                    ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('to_user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('to_team', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.team')),
                    ('note', models.TextField(blank=True)),
                    ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ],
                options={
                    'ordering': ['-at', '-pk'],
                },
            ),
            CreateModel(
                name='ComplaintTerm',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('kind', models.CharField(choices=[('concern', 'Concern'), ('complaint', 'Complaint'), ('grievance', 'Grievance'), ('compliment', 'Compliment')], max_length=12, unique=True)),
                    ('acknowledge_days', models.PositiveSmallIntegerField(help_text='Working days after the day on which it is received.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(60)])),
                    ('calendar', models.ForeignKey(blank=True, help_text='Whose open days are working days; empty: of the queue it came in through, else Monday to Friday.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inbox.servicecalendar')),
                ],
                options={
                    'ordering': ['kind'],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('acknowledge_days__range', (1, 60))), name='complaint_term_1_to_60_days'),
                    ],
                },
            ),
        ]),
    ]
