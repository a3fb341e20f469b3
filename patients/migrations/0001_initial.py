import contact_center.common.encrypted
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import django_fsm
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension, UnaccentExtension
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from contact_center.common.schema import CreateModels


# unaccent() is not immutable because its dictionary may change; ours does not, and generated columns and indexes need it.
SEARCH_FUNCTIONS = """
CREATE FUNCTION f_unaccent(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    AS $$ SELECT public.unaccent('public.unaccent'::regdictionary, $1) $$;
CREATE FUNCTION continuo_search_name(given text, family text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT lower(public.f_unaccent(given || ' ' || family)) $$;
"""
DROP_SEARCH_FUNCTIONS = "DROP FUNCTION continuo_search_name(text, text); DROP FUNCTION f_unaccent(text);"
CREATE_RECORD_NUMBERS = "CREATE SEQUENCE patients_mrn_sequence START 1000001"
DROP_RECORD_NUMBERS = "DROP SEQUENCE patients_mrn_sequence"


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('jobs', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        BtreeGistExtension(),
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(SEARCH_FUNCTIONS, DROP_SEARCH_FUNCTIONS),
        migrations.RunSQL(CREATE_RECORD_NUMBERS, DROP_RECORD_NUMBERS),
        CreateModels([
            CreateModel(
                name='Patient',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('mrn', models.CharField(max_length=32, unique=True, verbose_name='record number')),
                    ('given_name', models.CharField(max_length=120, verbose_name='given name')),
                    ('family_name', models.CharField(max_length=120, verbose_name='family name')),
                    ('preferred_name', models.CharField(blank=True, max_length=120, verbose_name='preferred name')),
                    ('search_name', models.GeneratedField(db_persist=True, expression=models.Func(models.F('given_name'), models.F('family_name'), function='continuo_search_name', output_field=models.TextField()), output_field=models.TextField())),
                    ('birth_date', models.DateField(blank=True, null=True, verbose_name='birth date')),
                    ('gender', models.CharField(choices=[('female', 'Female'), ('male', 'Male'), ('other', 'Other'), ('unknown', 'Unknown')], default='unknown', max_length=10)),
                    ('language', models.CharField(default='en', max_length=8, verbose_name='language')),
                    ('time_zone', models.CharField(blank=True, max_length=40)),
                    ('site_name', models.CharField(blank=True, max_length=80, verbose_name='site')),
                    ('preferred_channel', models.CharField(blank=True, choices=[('whatsapp', 'WhatsApp'), ('sms', 'SMS'), ('email', 'E-mail'), ('voice', 'Call')], max_length=12)),
                    ('contact_from', models.TimeField(blank=True, help_text='Local; automatic messages from then on.', null=True)),
                    ('contact_until', models.TimeField(blank=True, help_text='Local; and before this time.', null=True)),
                    ('interpreter_language', models.CharField(blank=True, max_length=8)),
                    ('access_needs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('hearing', 'Hard of hearing: write, or speak slowly'), ('sight', 'Low sight: large print, or call'), ('reading', 'Reading is hard: call, or use short words'), ('memory', 'Memory: repeat, and confirm in writing'), ('movement', 'Walking is hard: step-free ways, or a wheelchair'), ('companion', 'Comes with somebody who helps')], max_length=12), blank=True, default=list, size=None)),
                    ('access_note', models.CharField(blank=True, max_length=240)),
                    ('communication_style', models.CharField(blank=True, choices=[('brief', 'Brief: what to do, in short steps'), ('detailed', 'Detailed: with reasons and background')], max_length=10)),
                    ('sensitivity', models.CharField(choices=[('none', 'Not protected'), ('vip', 'Person of public interest'), ('staff', 'Works here'), ('protected', 'Protected for another reason')], default='none', max_length=10)),
                    ('is_do_not_contact', models.BooleanField(default=False)),
                    ('deceased_date', models.DateField(blank=True, null=True)),
                    ('merged_into', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged_from', to='patients.patient')),
                ],
                options={
                    'indexes': [
                        django.contrib.postgres.indexes.GinIndex(fields=['search_name'], name='patient_name_trigram', opclasses=['gin_trgm_ops']),
                        models.Index(fields=['birth_date'], name='patient_birth_date'),
                        models.Index(django.db.models.functions.text.Upper('mrn'), name='patient_mrn_upper'),
                        models.Index(condition=models.Q(('sensitivity', 'none'), _negated=True), fields=['id'], name='patient_protected'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('merged_into', None), models.Q(('merged_into', models.F('id')), _negated=True), _connector='OR'), name='patient_not_merged_into_itself'),
                        models.CheckConstraint(condition=models.Q(('sensitivity__in', ['none', 'vip', 'staff', 'protected'])), name='patient_sensitivity_known'),
                        models.CheckConstraint(condition=models.Q(models.Q(('contact_from', None), ('contact_until', None)), models.Q(('contact_from__isnull', False), ('contact_until__isnull', False)), _connector='OR'), name='patient_contact_hours_both_or_none'),
                    ],
                },
            ),
            CreateModel(
                name='ContactPoint',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='contact_points', to='patients.patient')),
                    ('scheme', models.CharField(choices=[('phone', 'Phone'), ('email', 'E-mail'), ('whatsapp_user_id', 'WhatsApp user id')], max_length=20)),
                    ('value', models.CharField(max_length=254)),
                    ('raw', models.CharField(blank=True, max_length=254)),
                    ('use', models.CharField(choices=[('mobile', 'Mobile'), ('home', 'Home'), ('work', 'Work'), ('other', 'Other')], default='mobile', max_length=10)),
                    ('rank', models.PositiveSmallIntegerField(default=1, help_text='1 is tried first')),
                    ('verified_at', models.DateTimeField(blank=True, null=True)),
                    ('bounced_at', models.DateTimeField(blank=True, null=True)),
                    ('bounce_reason', models.CharField(blank=True, max_length=120)),
                ],
                options={
                    'ordering': ['rank', 'id'],
                    'indexes': [
                        models.Index(fields=['scheme', 'value'], name='contact_point_address'),
                        django.contrib.postgres.indexes.GinIndex(fields=['value'], name='contact_point_trigram', opclasses=['gin_trgm_ops']),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('patient', 'scheme', 'value'), name='contact_point_once_per_patient'),
                        models.CheckConstraint(condition=models.Q(('value', ''), _negated=True), name='contact_point_not_empty'),
                    ],
                },
            ),
            CreateModel(
                name='Alert',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='alerts', to='patients.patient')),
                    ('kind', models.CharField(choices=[('safety', 'Safety'), ('clinical', 'Clinical'), ('communication', 'Communication'), ('access', 'Access and needs'), ('trust', 'Trust at risk'), ('other', 'Other')], max_length=16, verbose_name='kind')),
                    ('severity', models.CharField(choices=[('info', 'To know'), ('warning', 'Take care'), ('danger', 'Danger')], default='warning', max_length=10, verbose_name='severity')),
                    ('text', models.CharField(max_length=240, verbose_name='text')),
                    ('starts_date', models.DateField(default=django.utils.timezone.localdate)),
                    ('expires_date', models.DateField(blank=True, help_text='The last day it is shown.', null=True)),
                    ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [
                        models.Index(condition=models.Q(('ended_at', None)), fields=['patient'], name='alert_patient_open'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('expires_date', None), ('expires_date__gte', models.F('starts_date')), _connector='OR'), name='alert_expires_after_it_starts'),
                    ],
                },
            ),
            CreateModel(
                name='CareProgram',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('name', models.CharField(max_length=120, unique=True)),
                    ('description', models.CharField(blank=True, max_length=240)),
                    ('is_active', models.BooleanField(default=True)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            CreateModel(
                name='ProgramStep',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('program', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='patients.careprogram')),
                    ('position', models.PositiveSmallIntegerField()),
                    ('title', models.CharField(max_length=160)),
                    ('days', models.PositiveSmallIntegerField(default=7)),
                ],
                options={
                    'ordering': ['position'],
                    'constraints': [
                        models.UniqueConstraint(fields=('program', 'position'), name='program_step_once'),
                    ],
                },
            ),
            CreateModel(
                name='ProgramEnrolment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='enrolments', to='patients.patient')),
                    ('program', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='enrolments', to='patients.careprogram')),
                    ('status', django_fsm.FSMField(choices=[('active', 'Under way'), ('completed', 'Completed'), ('left', 'Left')], default='active', max_length=50, protected=True)),
                    ('step', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.programstep')),
                    ('step_due_date', models.DateField(blank=True, null=True)),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='enrolments', to=settings.AUTH_USER_MODEL)),
                    ('started_date', models.DateField(default=django.utils.timezone.localdate)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('why_left', models.CharField(blank=True, max_length=240)),
                ],
                options={
                    'indexes': [
                        models.Index(condition=models.Q(('status', 'active')), fields=['owner', 'step_due_date'], name='enrolment_due'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('status', 'active')), fields=('patient', 'program'), name='enrolment_active_once'),
                        models.CheckConstraint(condition=models.Q(('status__in', ['active', 'completed', 'left'])), name='enrolment_status_known'),
                        models.CheckConstraint(condition=models.Q(models.Q(('status', 'active'), _negated=True), models.Q(('step__isnull', False), ('step_due_date__isnull', False)), _connector='OR'), name='enrolment_active_has_dated_step'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='StepCompletion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('enrolment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='completions', to='patients.programenrolment')),
                    ('step', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.programstep')),
                    ('done_at', models.DateTimeField(default=django.utils.timezone.now)),
                    ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('note', models.CharField(blank=True, max_length=240)),
                ],
                options={
                    'ordering': ['done_at', 'pk'],
                    'constraints': [
                        models.UniqueConstraint(fields=('enrolment', 'step'), name='step_completion_once'),
                    ],
                },
            ),
            CreateModel(
                name='PendingResult',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pending_results', to='patients.patient')),
                    ('kind', models.CharField(choices=[('result', 'Result'), ('authorisation', 'Authorisation')], max_length=16)),
                    ('title', models.CharField(max_length=160)),
                    ('requested_date', models.DateField(default=django.utils.timezone.localdate)),
                    ('expected_date', models.DateField()),
                    ('status', django_fsm.FSMField(choices=[('waiting', 'Waiting for it'), ('arrived', 'Here, patient not told yet'), ('told', 'Patient was told'), ('cancelled', 'No longer expected')], default='waiting', max_length=50, protected=True)),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='pending_results', to=settings.AUTH_USER_MODEL)),
                    ('arrived_at', models.DateTimeField(blank=True, null=True)),
                    ('told_at', models.DateTimeField(blank=True, null=True)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'indexes': [
                        models.Index(condition=models.Q(('status__in', ['waiting', 'arrived'])), fields=['patient'], name='pending_patient_open'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('status__in', ['waiting', 'arrived', 'told', 'cancelled'])), name='pending_status_known'),
                        models.CheckConstraint(condition=models.Q(('expected_date__gte', models.F('requested_date'))), name='pending_expected_after_request'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='Coverage',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='coverages', to='patients.patient')),
                    ('payer', models.CharField(max_length=120)),
                    ('plan', models.CharField(blank=True, max_length=120)),
                    ('member_number', contact_center.common.encrypted.EncryptedTextField(blank=True, validators=[django.core.validators.MaxLengthValidator(60)])),
                    ('valid_from_date', models.DateField(blank=True, null=True)),
                    ('valid_until_date', models.DateField(blank=True, null=True)),
                    ('status', models.CharField(choices=[('active', 'Active'), ('cancelled', 'Cancelled'), ('draft', 'Draft'), ('entered-in-error', 'Entered in error')], default='active', max_length=16)),
                ],
                options={
                    'indexes': [
                        models.Index(fields=['patient', 'status'], name='coverage_patient'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('valid_from_date', None), ('valid_until_date', None), ('valid_until_date__gte', models.F('valid_from_date')), _connector='OR'), name='coverage_ends_after_it_begins'),
                        models.CheckConstraint(condition=models.Q(('payer', ''), _negated=True), name='coverage_has_payer'),
                    ],
                },
            ),
            CreateModel(
                name='LifeEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='life_events', to='patients.patient')),
                    ('text', models.CharField(max_length=240)),
                    ('happened_date', models.DateField(blank=True, null=True)),
                    ('recorded_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-happened_date', '-pk'],
                },
            ),
            CreateModel(
                name='ConsentText',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('purpose', models.CharField(choices=[('care', 'Care'), ('reminders', 'Reminders'), ('surveys', 'Surveys'), ('marketing', 'Marketing'), ('recording', 'Recording of calls')], max_length=12)),
                    ('language', models.CharField(max_length=8)),
                    ('version', models.PositiveSmallIntegerField()),
                    ('text', models.TextField()),
                    ('published_at', models.DateTimeField()),
                    ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['purpose', 'language', '-version'],
                    'constraints': [
                        models.UniqueConstraint(fields=('purpose', 'language', 'version'), name='consent_text_version_once'),
                        models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='consent_text_not_empty'),
                    ],
                },
            ),
            CreateModel(
                name='Consent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='patients.patient')),
                    ('purpose', models.CharField(choices=[('care', 'Care'), ('reminders', 'Reminders'), ('surveys', 'Surveys'), ('marketing', 'Marketing'), ('recording', 'Recording of calls')], max_length=12)),
                    ('channel_kind', models.CharField(max_length=12)),
                    ('status', models.CharField(choices=[('granted', 'Granted'), ('withdrawn', 'Withdrawn')], max_length=10)),
                    ('source', models.CharField(max_length=60)),
                    ('text_version', models.CharField(blank=True, max_length=40)),
                    ('text', models.ForeignKey(blank=True, help_text='What was shown.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.consenttext')),
                    ('recorded_at', models.DateTimeField()),
                    ('recorded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-recorded_at'],
                    'indexes': [
                        models.Index(fields=['patient', 'purpose', 'channel_kind', '-recorded_at'], name='consent_latest'),
                    ],
                },
            ),
            CreateModel(
                name='MatchProfile',
                fields=[
                    ('patient', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='match_profile', serialize=False, to='patients.patient')),
                    ('keys', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                    ('fingerprint', models.CharField(max_length=32)),
                    ('compared_at', models.DateTimeField(blank=True, help_text='Empty: waits to be compared.', null=True)),
                ],
                options={
                    'indexes': [
                        django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=['keys'], name='match_profile_keys'),
                        models.Index(condition=models.Q(('compared_at', None)), fields=['patient'], name='match_profile_waiting'),
                    ],
                },
            ),
            CreateModel(
                name='DuplicateSuggestion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('first', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.patient')),
                    ('second', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.patient')),
                    ('score', models.FloatField()),
                    ('level', models.CharField(choices=[('certain', 'Certain'), ('likely', 'Likely'), ('possible', 'Possible')], max_length=10)),
                    ('reasons', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), default=list, size=None)),
                    ('fingerprint', models.CharField(help_text='What was compared; once it changes, no is asked again.', max_length=65)),
                    ('status', django_fsm.FSMField(choices=[('open', 'To be decided'), ('dismissed', 'Two people'), ('merged', 'Merged')], default='open', max_length=50, protected=True)),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'indexes': [
                        models.Index(condition=models.Q(('status', 'open')), fields=['level', '-score'], name='duplicate_suggestion_open'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('first', 'second'), name='duplicate_suggestion_once'),
                        models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='duplicate_suggestion_ordered'),
                        models.CheckConstraint(condition=models.Q(('status__in', ['open', 'dismissed', 'merged'])), name='duplicate_suggestion_status_known'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='LegalHold',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='legal_holds', to='patients.patient')),
                    ('data_classes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('record', 'Patient records'), ('messages', 'Messages and notes'), ('files', 'Files of messages and notes'), ('recordings', 'Recordings of calls'), ('raw_events', 'Raw events of providers'), ('working', 'Drafts, notices and other working data'), ('complaints', 'Complaints'), ('audit', 'Audit trail')], max_length=12), blank=True, default=list, help_text='Empty: all.', size=None)),
                    ('reason', models.CharField(max_length=240)),
                    ('placed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('lifted_at', models.DateTimeField(blank=True, null=True)),
                    ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [
                        models.Index(condition=models.Q(('lifted_at', None)), fields=['patient'], name='legal_hold_in_force'),
                    ],
                },
            ),
            CreateModel(
                name='RetentionRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('data_class', models.CharField(choices=[('record', 'Patient records'), ('messages', 'Messages and notes'), ('files', 'Files of messages and notes'), ('recordings', 'Recordings of calls'), ('raw_events', 'Raw events of providers'), ('working', 'Drafts, notices and other working data'), ('complaints', 'Complaints'), ('audit', 'Audit trail')], max_length=12, unique=True)),
                    ('days', models.PositiveIntegerField(blank=True, null=True)),
                    ('changed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['data_class'],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('days', None), ('days__gte', 1), _connector='OR'), name='retention_days_some'),
                    ],
                },
            ),
            CreateModel(
                name='RetentionRun',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('date', models.DateField(unique=True)),
                    ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('counts', models.JSONField(default=dict)),
                ],
                options={
                    'ordering': ['-date'],
                },
            ),
            CreateModel(
                name='ErasureRequest',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='erasure_requests', to='patients.patient')),
                    ('reason', models.CharField(max_length=240)),
                    ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_at', models.DateTimeField(blank=True, null=True)),
                    ('why_declined', models.CharField(blank=True, max_length=240)),
                    ('status', django_fsm.FSMField(choices=[('requested', 'Waits for approval'), ('declined', 'Declined'), ('approved', 'Being erased'), ('held', 'Erased but for what a hold keeps'), ('done', 'Erased')], default='requested', max_length=50, protected=True)),
                    ('kept_classes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=12), blank=True, default=list, size=None)),
                    ('counts', models.JSONField(default=dict)),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('status__in', ['requested', 'declined', 'approved', 'held', 'done'])), name='erasure_status_known'),
                        models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='erasure_by_two_people'),
                        models.UniqueConstraint(condition=models.Q(('status__in', ['requested', 'approved', 'held'])), fields=('patient',), name='erasure_once_open'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='RelatedPerson',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='related_persons', to='patients.patient')),
                    ('relative', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='relative_of', to='patients.patient')),
                    ('name', models.CharField(max_length=240)),
                    ('relation', models.CharField(choices=[('parent', 'Parent'), ('child', 'Child'), ('partner', 'Partner'), ('sibling', 'Sibling'), ('guardian', 'Guardian'), ('caregiver', 'Caregiver'), ('other', 'Other')], max_length=12)),
                    ('is_proxy', models.BooleanField(default=False, help_text='May act for the patient')),
                    ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('appointments', 'Appointments'), ('results', 'Results and messages about health'), ('billing', 'Bills and insurance')], max_length=12), blank=True, default=list, size=None)),
                    ('is_for_minor', models.BooleanField(default=False, help_text='Ends when the patient comes of age')),
                    ('valid_from_date', models.DateField(blank=True, null=True)),
                    ('valid_until_date', models.DateField(blank=True, help_text='The last day on which it holds', null=True)),
                    ('proof', models.CharField(blank=True, choices=[('birth_certificate', 'Birth certificate'), ('court_order', 'Court order'), ('power_of_attorney', 'Power of attorney'), ('signed_form', 'Form signed by the patient'), ('spoken', 'The patient said so, with identity checked')], max_length=20)),
                    ('proof_note', models.CharField(blank=True, max_length=120)),
                    ('ended_at', models.DateTimeField(blank=True, help_text='Taken back, or over; history from then on.', null=True)),
                    ('warned_date', models.DateField(blank=True, help_text='When the desk was told that it ends.', null=True)),
                ],
                options={
                    'indexes': [
                        models.Index(condition=models.Q(('ended_at', None), ('is_proxy', True)), fields=['patient'], name='related_proxy_in_force'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('relative', None), models.Q(('relative', models.F('patient')), _negated=True), _connector='OR'), name='related_person_is_another'),
                        models.CheckConstraint(condition=models.Q(('is_proxy', True), ('scopes', []), _connector='OR'), name='related_person_scopes_of_proxy'),
                        models.CheckConstraint(condition=models.Q(('valid_from_date', None), ('valid_until_date', None), ('valid_from_date__lte', models.F('valid_until_date')), _connector='OR'), name='related_person_valid_in_order'),
                    ],
                },
            ),
            CreateModel(
                name='CareRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('site_name', models.CharField(blank=True, max_length=80, unique=True, verbose_name='site')),
                    ('adult_age', models.PositiveSmallIntegerField(default=18, verbose_name='Age at which patients decide for themselves')),
                    ('warning_days', models.PositiveSmallIntegerField(default=30, verbose_name='Days of warning before a proxy ends')),
                ],
                options={
                    'ordering': ['site_name'],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('adult_age__range', (12, 25))), name='care_rule_age_is_sensible'),
                        models.CheckConstraint(condition=models.Q(('warning_days__range', (1, 365))), name='care_rule_days_are_sensible'),
                    ],
                },
            ),
            CreateModel(
                name='BreakGlass',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='broken_glass', to=settings.AUTH_USER_MODEL)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='broken_glass', to='patients.patient')),
                    ('reason', models.CharField(max_length=500)),
                    ('expires_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'indexes': [
                        models.Index(condition=models.Q(('ended_at', None)), fields=['user', '-expires_at'], name='break_glass_open'),
                        models.Index(fields=['patient', '-id'], name='break_glass_patient'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='break_glass_has_reason'),
                    ],
                },
            ),
            CreateModel(
                name='Identifier',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identifiers', to='patients.patient')),
                    ('system', models.CharField(help_text='Which register gave it: a word of ours, or its address.', max_length=120)),
                    ('value', models.CharField(max_length=64)),
                    ('raw', models.CharField(blank=True, max_length=64)),
                ],
                options={
                    'ordering': ['system', 'id'],
                    'constraints': [
                        models.UniqueConstraint(fields=('system', 'value'), name='identifier_once_per_system'),
                        models.CheckConstraint(condition=models.Q(models.Q(('value', ''), _negated=True), models.Q(('system', ''), _negated=True)), name='identifier_not_empty'),
                    ],
                },
            ),
            CreateModel(
                name='PostalAddress',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='postal_addresses', to='patients.patient')),
                    ('use', models.CharField(choices=[('home', 'Home'), ('work', 'Work'), ('other', 'Other')], default='home', max_length=10)),
                    ('line', models.CharField(blank=True, max_length=200)),
                    ('extra_line', models.CharField(blank=True, max_length=200)),
                    ('city', models.CharField(blank=True, max_length=120)),
                    ('region', models.CharField(blank=True, max_length=120)),
                    ('postal_code', models.CharField(blank=True, max_length=20)),
                    ('country', models.CharField(blank=True, max_length=60)),
                ],
                options={
                    'verbose_name_plural': 'postal addresses',
                    'ordering': ['id'],
                    'constraints': [
                        models.UniqueConstraint(fields=('patient', 'line', 'extra_line', 'city', 'postal_code'), name='postal_address_once'),
                        models.CheckConstraint(condition=models.Q(('city', ''), ('extra_line', ''), ('line', ''), ('postal_code', ''), _negated=True), name='postal_address_not_empty'),
                    ],
                },
            ),
            CreateModel(
                name='PatientImport',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('name', models.CharField(max_length=200)),
                    ('file', models.FileField(blank=True, upload_to='imports/')),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('status', django_fsm.FSMField(choices=[('uploaded', 'Columns to be chosen'), ('checking', 'Being checked'), ('checked', 'Checked'), ('running', 'Being taken in'), ('done', 'Done'), ('stopped', 'Stopped')], default='uploaded', max_length=50, protected=True)),
                    ('format', models.JSONField(default=dict, help_text='Kind, encoding, delimiter, sheet.')),
                    ('header', models.JSONField(default=list)),
                    ('columns', models.JSONField(default=list)),
                    ('settings', models.JSONField(default=dict)),
                    ('row_count', models.PositiveIntegerField(default=0)),
                    ('check_job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.job')),
                    ('job', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.job')),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('status__in', ['uploaded', 'checking', 'checked', 'running', 'done', 'stopped'])), name='patient_import_status_known'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='PatientImportRow',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='patients.patientimport')),
                    ('number', models.PositiveIntegerField(help_text='As a spreadsheet counts: the head is row 1.')),
                    ('position', models.PositiveIntegerField(help_text='Counted without the head and empty rows, from 1.')),
                    ('cells', models.JSONField()),
                    ('status', models.CharField(choices=[('waiting', 'Waiting'), ('ready', 'Ready'), ('wrong', 'Has errors'), ('created', 'Created'), ('updated', 'Updated'), ('skipped', 'Left out')], default='waiting', max_length=10)),
                    ('problems', models.JSONField(default=list)),
                    ('level', models.CharField(blank=True, help_text='How much it is like a record that is here.', max_length=10)),
                    ('like', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='patients.patient')),
                    ('digest', models.BigIntegerField(default=0, help_text='Of names and birth date; the same in rows of one person.')),
                    ('same_as_row', models.PositiveIntegerField(blank=True, null=True)),
                    ('patient', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='patients.patient')),
                ],
                options={
                    'ordering': ['number'],
                    'indexes': [
                        models.Index(fields=['source', 'status', 'number'], name='patient_import_row_status'),
                        models.Index(fields=['source', 'position'], name='patient_import_row_position'),
                        models.Index(fields=['source', 'digest'], name='patient_import_row_digest'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('source', 'number'), name='patient_import_row_once'),
                    ],
                },
            ),
            CreateModel(
                name='PatientMerge',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merges_away', to='patients.patient')),
                    ('target', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='merges_here', to='patients.patient')),
                    ('merged_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('high_water', models.JSONField(default=dict, help_text='Last id per kind of item: what is newer came afterwards.')),
                    ('undone_at', models.DateTimeField(blank=True, null=True)),
                    ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('source',), name='patient_merged_once'),
                        models.CheckConstraint(condition=models.Q(('source', models.F('target')), _negated=True), name='patient_merge_of_two'),
                    ],
                },
            ),
            CreateModel(
                name='PatientMergeItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('merge', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='patients.patientmerge')),
                    ('what', models.CharField(choices=[('moved', 'Moved'), ('stayed', 'Stayed with the old record'), ('field', 'Field taken over')], max_length=10)),
                    ('link', models.CharField(max_length=120)),
                    ('object_id', models.BigIntegerField()),
                    ('before', models.JSONField(default=dict)),
                ],
                options={
                    'indexes': [
                        models.Index(fields=['link', 'object_id'], name='patient_merge_item_object'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('merge', 'link', 'object_id'), name='patient_merge_item_once'),
                    ],
                },
            ),
        ]),
    ]
