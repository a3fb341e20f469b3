import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import django_fsm
import scheduling.models.catalogue
import uuid
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from contact_center.common.schema import CreateModels


# Django knows no foreign key of two columns; this one keeps a seat from a number that its group does not have.
ADD_SEAT_OF_PLACES = """
ALTER TABLE scheduling_occupancy ADD CONSTRAINT occupancy_seat_of_places
    FOREIGN KEY (session_id, of_places) REFERENCES scheduling_groupsession (id, places)
    ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED
"""
DROP_SEAT_OF_PLACES = "ALTER TABLE scheduling_occupancy DROP CONSTRAINT occupancy_seat_of_places"


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('inbox', '0001_initial'),
        ('patients', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        CreateModels([
            CreateModel(
                name='Location',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('name', models.CharField(max_length=80, unique=True, verbose_name='name')),
                    ('address', models.CharField(blank=True, max_length=240, verbose_name='address')),
                    ('time_zone', models.CharField(max_length=40, validators=[scheduling.models.catalogue.known_zone], verbose_name='time zone')),
                    ('directions', models.JSONField(blank=True, db_default={}, default=dict, help_text='How to find it, by language code')),
                    ('is_active', models.BooleanField(default=True)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            CreateModel(
                name='Room',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rooms', to='scheduling.location')),
                    ('name', models.CharField(max_length=80, verbose_name='name')),
                    ('is_active', models.BooleanField(default=True)),
                ],
                options={
                    'ordering': ['name'],
                    'constraints': [
                        models.UniqueConstraint(fields=('location', 'name'), name='room_name_once_per_location'),
                    ],
                },
            ),
            CreateModel(
                name='HealthcareService',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('code', models.SlugField(max_length=60, unique=True)),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('names', models.JSONField(blank=True, default=dict)),
                    ('preparation', models.JSONField(blank=True, default=dict)),
                    ('minutes', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MinValueValidator(5)])),
                    ('places', models.PositiveSmallIntegerField(db_default=1, default=1, help_text='Patients who are seen together; more than one: a group', verbose_name='places')),
                    ('buffer_before_minutes', models.PositiveSmallIntegerField(default=0)),
                    ('buffer_after_minutes', models.PositiveSmallIntegerField(default=0)),
                    ('step_minutes', models.PositiveSmallIntegerField(default=15, help_text='Visits begin every so many minutes')),
                    ('notice_minutes', models.PositiveIntegerField(default=0, help_text='How long before a patient may still book')),
                    ('horizon_days', models.PositiveSmallIntegerField(default=90, help_text='How far ahead visits are offered')),
                    ('modes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('on_site', 'On site'), ('phone', 'By phone'), ('video', 'By video')], max_length=10), default=list, size=None)),
                    ('cadence', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('booked', 'When it is booked or moved'), ('days_7', 'Seven days before'), ('preparation', 'How to prepare'), ('days_2', 'Two days before'), ('day_1', 'The day before'), ('missed', 'After a missed visit'), ('thanks', 'Thanks after the visit'), ('survey', 'Question how it was'), ('again', 'Sent again by a person')], max_length=12), blank=True, db_default=['booked', 'days_7', 'preparation', 'days_2', 'day_1', 'missed', 'thanks', 'survey'], default=scheduling.models.catalogue.whole_cadence, help_text='What patients are told by themselves', size=None)),
                    ('needs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('transport', 'Transport'), ('interpreter', 'Interpreter'), ('authorisation', 'Authorisation of the insurer'), ('documents', 'Documents')], max_length=14), blank=True, db_default=[], default=list, help_text='What must be arranged before the visit can be confirmed', size=None)),
                    ('is_public', models.BooleanField(db_default=False, default=False, help_text='On the public booking page', verbose_name='patients book it themselves')),
                    ('is_active', models.BooleanField(default=True)),
                ],
                options={
                    'ordering': ['name'],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('minutes__gte', 5)), name='service_takes_time'),
                        models.CheckConstraint(condition=models.Q(('step_minutes__gte', 5)), name='service_steps_forward'),
                        models.CheckConstraint(condition=models.Q(('places__gte', 1), ('places__lte', 100)), name='service_has_places'),
                    ],
                },
            ),
            CreateModel(
                name='Prerequisite',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prerequisites', to='scheduling.healthcareservice')),
                    ('first', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='scheduling.healthcareservice')),
                    ('least_minutes', models.PositiveIntegerField(default=0, help_text='At least so long after it, for results, say')),
                    ('most_minutes', models.PositiveIntegerField(blank=True, help_text='At most so long after it', null=True)),
                ],
                options={
                    'constraints': [
                        models.UniqueConstraint(fields=('service', 'first'), name='prerequisite_once'),
                        models.CheckConstraint(condition=models.Q(('service', models.F('first')), _negated=True), name='prerequisite_of_another'),
                        models.CheckConstraint(condition=models.Q(('most_minutes', None), ('most_minutes__gte', models.F('least_minutes')), _connector='OR'), name='prerequisite_gap_in_order'),
                    ],
                },
            ),
            CreateModel(
                name='Practitioner',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('name', models.CharField(max_length=120, verbose_name='name')),
                    ('user', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='practitioner', to=settings.AUTH_USER_MODEL)),
                    ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), default=list, size=None)),
                    ('video_url', models.URLField(blank=True, db_default='', help_text='Where video visits take place')),
                    ('daily_overbooking', models.PositiveSmallIntegerField(default=0, help_text='Visits a day beside the agenda')),
                    ('is_active', models.BooleanField(default=True)),
                    ('services', models.ManyToManyField(related_name='practitioners', to='scheduling.healthcareservice')),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            CreateModel(
                name='Schedule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('practitioner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='schedules', to='scheduling.practitioner')),
                    ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='schedules', to='scheduling.location')),
                    ('room', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='schedules', to='scheduling.room')),
                    ('valid_from_date', models.DateField(blank=True, null=True)),
                    ('valid_until_date', models.DateField(blank=True, help_text='The last day', null=True)),
                    ('services', models.ManyToManyField(blank=True, related_name='+', to='scheduling.healthcareservice')),
                ],
                options={
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('valid_from_date', None), ('valid_until_date', None), ('valid_until_date__gte', models.F('valid_from_date')), _connector='OR'), name='schedule_ends_after_it_begins'),
                    ],
                },
            ),
            CreateModel(
                name='WeeklyHours',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('schedule', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hours', to='scheduling.schedule')),
                    ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')])),
                    ('starts', models.TimeField()),
                    ('ends', models.TimeField()),
                ],
                options={
                    'ordering': ['weekday', 'starts'],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('starts', models.F('ends')), _negated=True), name='weekly_hours_take_time'),
                        models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='weekly_hours_on_a_day'),
                    ],
                },
            ),
            CreateModel(
                name='Absence',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('practitioner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='absences', to='scheduling.practitioner')),
                    ('room', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='absences', to='scheduling.room')),
                    ('location', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='absences', to='scheduling.location')),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('reason', models.CharField(choices=[('leave', 'Leave'), ('sickness', 'Sickness'), ('holiday', 'Holiday'), ('meeting', 'Meeting'), ('maintenance', 'Maintenance'), ('other', 'Something else')], default='leave', max_length=12)),
                    ('name', models.CharField(blank=True, help_text='Such as that of a holiday; staff read it.', max_length=60, verbose_name='name')),
                ],
                options={
                    'indexes': [
                        models.Index(fields=['ends_at'], name='absence_to_come'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='absence_takes_time'),
                        models.CheckConstraint(condition=models.Q(models.Q(('location', None), ('practitioner__isnull', False), ('room', None)), models.Q(('location', None), ('practitioner', None), ('room__isnull', False)), models.Q(('location__isnull', False), ('practitioner', None), ('room', None)), _connector='OR'), name='absence_of_one'),
                    ],
                },
            ),
            CreateModel(
                name='GroupSession',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='scheduling.healthcareservice')),
                    ('practitioner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sessions', to='scheduling.practitioner')),
                    ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.location')),
                    ('room', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.room')),
                    ('mode', models.CharField(choices=[('on_site', 'On site'), ('phone', 'By phone'), ('video', 'By video')], default='on_site', max_length=10)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('places', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1)])),
                    ('cancelled_at', models.DateTimeField(blank=True, help_text='Since when nobody can join', null=True)),
                    ('cancelled_for', models.CharField(blank=True, choices=[('patient', 'The patient'), ('practitioner', 'The practitioner'), ('organisation', 'The organisation')], max_length=12)),
                    ('moved_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.groupsession')),
                ],
                options={
                    'ordering': ['starts_at', 'pk'],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('cancelled_at', None)), fields=('practitioner', 'service', 'starts_at'), name='group_session_once'),
                        models.UniqueConstraint(fields=('id', 'places'), name='group_session_places'),
                        models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='group_session_takes_time'),
                        models.CheckConstraint(condition=models.Q(('places__gte', 1)), name='group_session_has_places'),
                        models.CheckConstraint(condition=models.Q(('moved_to', None), ('cancelled_at__isnull', False), _connector='OR'), name='group_session_moved_is_over'),
                    ],
                },
            ),
            CreateModel(
                name='AppointmentSeries',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='visit_series', to='patients.patient')),
                    ('first_date', models.DateField()),
                    ('starts', models.TimeField(help_text='By the clock of the site')),
                    ('every', models.PositiveSmallIntegerField(default=1)),
                    ('unit', models.CharField(choices=[('day', 'days'), ('week', 'weeks')], default='week', max_length=4)),
                    ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')]), blank=True, default=list, size=None)),
                    ('count', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('until_date', models.DateField(blank=True, help_text='The last day', null=True)),
                    ('booking_key', models.UUIDField(help_text='The request that booked it', unique=True)),
                    ('booked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name_plural': 'appointment series',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('every__gte', 1)), name='series_goes_forward'),
                        models.CheckConstraint(condition=models.Q(('count__isnull', False), ('until_date__isnull', False), _connector='OR'), name='series_has_an_end'),
                    ],
                },
            ),
            CreateModel(
                name='Appointment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='patients.patient')),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='scheduling.healthcareservice')),
                    ('practitioner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='scheduling.practitioner')),
                    ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='scheduling.location')),
                    ('room', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='scheduling.room')),
                    ('session', models.ForeignKey(blank=True, help_text='The group in which it takes place', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='scheduling.groupsession')),
                    ('series', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='scheduling.appointmentseries')),
                    ('series_number', models.PositiveSmallIntegerField(blank=True, help_text='From 1, in order of the pattern', null=True)),
                    ('mode', models.CharField(choices=[('on_site', 'On site'), ('phone', 'By phone'), ('video', 'By video')], default='on_site', max_length=10)),
                    ('status', django_fsm.FSMField(choices=[('proposed', 'Proposed'), ('pending', 'Not settled yet'), ('booked', 'Booked'), ('arrived', 'Arrived'), ('checked-in', 'Checked in'), ('fulfilled', 'Attended'), ('cancelled', 'Cancelled'), ('noshow', 'Did not come'), ('waitlist', 'On the waitlist'), ('entered-in-error', 'Entered in error')], default='booked', max_length=50, protected=True)),
                    ('confirmation', models.CharField(blank=True, choices=[('unconfirmed', 'Not confirmed'), ('confirmed', 'Confirmed'), ('declined', 'Declined')], default='unconfirmed', max_length=12)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('note', models.CharField(blank=True, max_length=240)),
                    ('previous', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='next', to='scheduling.appointment')),
                    ('booking_key', models.UUIDField(blank=True, help_text='The request that booked it', null=True, unique=True)),
                    ('overbooked_number', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('visit_date', models.DateField(help_text='The day of the visit at its site')),
                    ('booked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                    ('prepared_at', models.DateTimeField(blank=True, help_text='The patient has read how to prepare.', null=True)),
                    ('patient_words', models.CharField(blank=True, db_default='', help_text='What the patient wants us to know before.', max_length=500)),
                    ('arrived_at', models.DateTimeField(blank=True, null=True)),
                    ('fulfilled_at', models.DateTimeField(blank=True, null=True)),
                    ('noshow_at', models.DateTimeField(blank=True, null=True)),
                    ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                    ('cancelled_for', models.CharField(blank=True, choices=[('patient', 'The patient'), ('practitioner', 'The practitioner'), ('organisation', 'The organisation')], max_length=12)),
                    ('cancel_reason', models.CharField(blank=True, max_length=240)),
                ],
                options={
                    'ordering': ['starts_at', 'pk'],
                    'indexes': [
                        models.Index(fields=['patient', '-starts_at'], name='appointment_of_patient'),
                        models.Index(fields=['practitioner', 'starts_at'], name='appointment_of_practitioner'),
                        models.Index(fields=['starts_at'], name='appointment_by_time'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='appointment_takes_time'),
                        models.CheckConstraint(condition=models.Q(('previous', None), models.Q(('previous', models.F('id')), _negated=True), _connector='OR'), name='appointment_not_before_itself'),
                        models.UniqueConstraint(condition=models.Q(('overbooked_number__isnull', False), models.Q(('status__in', ['cancelled', 'entered-in-error']), _negated=True)), fields=('practitioner', 'visit_date', 'overbooked_number'), name='appointment_overbooking_counted'),
                        models.UniqueConstraint(condition=models.Q(('series__isnull', False), models.Q(('status__in', ['cancelled', 'entered-in-error']), _negated=True)), fields=('series', 'series_number'), name='appointment_once_in_series'),
                        models.CheckConstraint(condition=models.Q(models.Q(('series', None), ('series_number', None)), models.Q(('series__isnull', False), ('series_number__isnull', False)), _connector='OR'), name='appointment_numbered_in_series'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='Occupancy',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('practitioner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='scheduling.practitioner')),
                    ('room', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='scheduling.room')),
                    ('span', django.contrib.postgres.fields.ranges.DateTimeRangeField(blank=True, help_text='With buffers, half-open; empty for a place of a group', null=True)),
                    ('session', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='seats', to='scheduling.groupsession')),
                    ('seat', models.PositiveSmallIntegerField(blank=True, help_text='0 is the time of the whole group', null=True)),
                    ('of_places', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('appointment', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='occupancy', to='scheduling.appointment')),
                    ('hold_token', models.UUIDField(blank=True, null=True, unique=True)),
                    ('held_until_at', models.DateTimeField(blank=True, null=True)),
                    ('held_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('held_from', models.CharField(blank=True, db_default='', help_text="Digest of the network a patient's hold came from", max_length=64)),
                ],
                options={
                    'verbose_name_plural': 'occupancies',
                    'indexes': [
                        models.Index(condition=models.Q(('held_until_at__isnull', False)), fields=['held_until_at'], name='occupancy_holds'),
                        django.contrib.postgres.indexes.GistIndex(fields=['span'], name='occupancy_by_time'),
                    ],
                    'constraints': [
                        django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('practitioner', '='), ('span', '&&')], name='occupancy_practitioner_once'),
                        django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('room__isnull', False)), expressions=[('room', '='), ('span', '&&')], name='occupancy_room_once'),
                        models.CheckConstraint(condition=models.Q(models.Q(('appointment__isnull', False), ('held_until_at', None), ('hold_token', None)), models.Q(('appointment', None), ('held_until_at__isnull', False), ('hold_token__isnull', False)), models.Q(('appointment', None), ('hold_token', None), ('seat', 0), ('seat__isnull', False)), _connector='OR'), name='occupancy_is_visit_or_hold'),
                        models.CheckConstraint(condition=models.Q(models.Q(('of_places', None), ('seat', None), ('session', None), ('span__isnull', False)), models.Q(('of_places', None), ('seat', 0), ('seat__isnull', False), ('session__isnull', False), ('span__isnull', False)), models.Q(('of_places__isnull', False), ('seat__gte', 1), ('seat__isnull', False), ('seat__lte', models.F('of_places')), ('session__isnull', False), ('span', None)), _connector='OR'), name='occupancy_seat_in_group'),
                        models.UniqueConstraint(fields=('session', 'seat'), name='occupancy_seat_once'),
                        models.CheckConstraint(condition=models.Q(('span__isempty', False)), name='occupancy_takes_time'),
                    ],
                },
            ),
            CreateModel(
                name='CapacityRules',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('service', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='capacity_rules', to='scheduling.healthcareservice')),
                    ('is_offering', models.BooleanField(default=True, verbose_name='offer freed times')),
                    ('group_size', models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MinValueValidator(1)], verbose_name='patients in a wave')),
                    ('interval_minutes', models.PositiveSmallIntegerField(default=20, validators=[django.core.validators.MinValueValidator(1)], verbose_name='minutes between waves')),
                    ('offer_minutes', models.PositiveSmallIntegerField(default=60, validators=[django.core.validators.MinValueValidator(5)], verbose_name='minutes to answer')),
                    ('cut_off_minutes', models.PositiveIntegerField(default=120, verbose_name='last offer before the visit, minutes')),
                    ('horizon_days', models.PositiveSmallIntegerField(default=14, verbose_name='days ahead')),
                    ('most_offers_a_day', models.PositiveSmallIntegerField(default=3, verbose_name='offers per patient and day')),
                    ('grace_minutes', models.PositiveSmallIntegerField(blank=True, help_text='Empty: only people say so', null=True, verbose_name='minutes until a visit counts as missed')),
                ],
                options={
                    'verbose_name_plural': 'capacity rules',
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('group_size__gte', 1), ('interval_minutes__gte', 1), ('offer_minutes__gte', 5)), name='capacity_rules_go_on'),
                    ],
                },
            ),
            CreateModel(
                name='WaitlistEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_entries', to='patients.patient')),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_entries', to='scheduling.healthcareservice')),
                    ('appointment', models.ForeignKey(blank=True, help_text='The visit that an earlier time takes the place of.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='waitlist_entries', to='scheduling.appointment')),
                    ('urgency', models.CharField(choices=[('routine', 'Routine'), ('soon', 'Soon'), ('urgent', 'Urgent')], default='routine', max_length=8)),
                    ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')]), blank=True, default=list, size=None)),
                    ('not_before', models.TimeField(blank=True, null=True)),
                    ('not_after', models.TimeField(blank=True, help_text='The visit has begun by then', null=True)),
                    ('first_date', models.DateField(blank=True, null=True)),
                    ('last_date', models.DateField(blank=True, null=True)),
                    ('notice_minutes', models.PositiveIntegerField(default=240, help_text='What the patient needs to get there')),
                    ('mode', models.CharField(choices=[('on_site', 'On site'), ('phone', 'By phone'), ('video', 'By video')], default='on_site', max_length=10)),
                    ('note', models.CharField(blank=True, max_length=240)),
                    ('joined_at', models.DateTimeField(default=django.utils.timezone.now)),
                    ('added_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('closed_for', models.CharField(blank=True, choices=[('booked', 'Got a time'), ('withdrawn', 'Does not want one any more'), ('over', 'The last day passed')], max_length=10)),
                    ('locations', models.ManyToManyField(blank=True, related_name='+', to='scheduling.location')),
                    ('practitioners', models.ManyToManyField(blank=True, related_name='+', to='scheduling.practitioner')),
                ],
                options={
                    'verbose_name_plural': 'waitlist entries',
                    'ordering': ['joined_at', 'pk'],
                    'indexes': [
                        models.Index(condition=models.Q(('closed_at', None)), fields=['service', 'joined_at'], name='waitlist_open'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('patient', 'service'), name='waitlist_entry_open_once'),
                        models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('closed_for', '')), models.Q(('closed_at__isnull', False), models.Q(('closed_for', ''), _negated=True)), _connector='OR'), name='waitlist_entry_closed_for_a_reason'),
                        models.CheckConstraint(condition=models.Q(('not_before', None), ('not_after', None), ('not_after__gt', models.F('not_before')), _connector='OR'), name='waitlist_entry_hours_in_order'),
                        models.CheckConstraint(condition=models.Q(('first_date', None), ('last_date', None), ('last_date__gte', models.F('first_date')), _connector='OR'), name='waitlist_entry_days_in_order'),
                    ],
                },
            ),
            CreateModel(
                name='FreedSlot',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('freed_by', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='freed_slot', to='scheduling.appointment')),
                    ('trigger', models.CharField(choices=[('cancelled', 'A visit was cancelled'), ('moved', 'A visit was moved'), ('cascade', 'Its patient took an earlier time from the waitlist'), ('discarded', 'A visit was entered in error')], max_length=10)),
                    ('cause', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cascade', to='scheduling.freedslot')),
                    ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.healthcareservice')),
                    ('practitioner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.practitioner')),
                    ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.location')),
                    ('room', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.room')),
                    ('mode', models.CharField(choices=[('on_site', 'On site'), ('phone', 'By phone'), ('video', 'By video')], max_length=10)),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('waves', models.PositiveSmallIntegerField(default=0)),
                    ('next_wave_at', models.DateTimeField(blank=True, null=True)),
                    ('filled_by', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='filled_slot', to='scheduling.appointment')),
                    ('closed_at', models.DateTimeField(blank=True, null=True)),
                    ('closed_for', models.CharField(blank=True, choices=[('filled', 'Filled from the waitlist'), ('taken', 'Taken in another way'), ('cut_off', 'Too near'), ('nobody', 'Nobody else on the waitlist fits'), ('stopped', 'Stopped by a person')], max_length=10)),
                ],
                options={
                    'ordering': ['starts_at', 'pk'],
                    'indexes': [
                        models.Index(condition=models.Q(('closed_at', None)), fields=['next_wave_at'], name='freed_slot_due'),
                        models.Index(fields=['location', 'closed_at'], name='freed_slot_of_site'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('closed_for', '')), models.Q(('closed_at__isnull', False), models.Q(('closed_for', ''), _negated=True)), _connector='OR'), name='freed_slot_closed_for_a_reason'),
                        models.CheckConstraint(condition=models.Q(models.Q(('filled_by', None), models.Q(('closed_for', 'filled'), _negated=True)), models.Q(('closed_for', 'filled'), ('filled_by__isnull', False)), _connector='OR'), name='freed_slot_filled_by_a_visit'),
                    ],
                },
            ),
            CreateModel(
                name='SlotOffer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('freed', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offers', to='scheduling.freedslot')),
                    ('entry', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offers', to='scheduling.waitlistentry')),
                    ('status', django_fsm.FSMField(choices=[('offered', 'Offered'), ('accepted', 'Accepted'), ('declined', 'Declined'), ('expired', 'Not answered in time'), ('withdrawn', 'Taken back')], default='offered', max_length=50, protected=True)),
                    ('wave', models.PositiveSmallIntegerField()),
                    ('rank', models.PositiveSmallIntegerField(help_text='From 1, among all who were offered this time')),
                    ('grounds', models.JSONField(default=dict, help_text='Points for urgency, wait, fit and fairness')),
                    ('offered_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                    ('message', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inbox.message')),
                    ('appointment', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='accepted_offer', to='scheduling.appointment')),
                ],
                options={
                    'ordering': ['freed', 'rank'],
                    'indexes': [
                        models.Index(condition=models.Q(('status', 'offered')), fields=['expires_at'], name='slot_offer_open'),
                        models.Index(fields=['entry', 'offered_at'], name='slot_offer_of_entry'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('freed', 'entry'), name='slot_offer_once_per_entry'),
                        models.UniqueConstraint(condition=models.Q(('status', 'accepted')), fields=('freed',), name='slot_offer_one_winner'),
                        models.CheckConstraint(condition=models.Q(models.Q(('appointment__isnull', False), ('status', 'accepted')), models.Q(models.Q(('status', 'accepted'), _negated=True), ('appointment', None)), _connector='OR'), name='slot_offer_accepted_is_booked'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='MassMove',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('absence', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='mass_move', to='scheduling.absence')),
                    ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('group_size', models.PositiveSmallIntegerField(default=10, validators=[django.core.validators.MinValueValidator(1)], verbose_name='patients in a wave')),
                    ('interval_minutes', models.PositiveSmallIntegerField(default=15, validators=[django.core.validators.MinValueValidator(1)], verbose_name='minutes between waves')),
                    ('waves', models.PositiveSmallIntegerField(default=0)),
                    ('next_wave_at', models.DateTimeField(blank=True, help_text='Empty: nobody is told any more by itself', null=True)),
                    ('closed_at', models.DateTimeField(blank=True, help_text='Since when nobody is left', null=True)),
                ],
                options={
                    'ordering': ['-pk'],
                    'indexes': [
                        models.Index(condition=models.Q(('closed_at', None)), fields=['next_wave_at'], name='mass_move_due'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('group_size__gte', 1), ('interval_minutes__gte', 1)), name='mass_move_goes_on'),
                        models.CheckConstraint(condition=models.Q(('closed_at', None), ('next_wave_at', None), _connector='OR'), name='mass_move_that_is_over_tells_nobody'),
                    ],
                },
            ),
            CreateModel(
                name='MassMoveVisit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('mass_move', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='visits', to='scheduling.massmove')),
                    ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mass_moves', to='scheduling.appointment')),
                    ('wave', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('told_at', models.DateTimeField(blank=True, null=True)),
                    ('untold_for', models.CharField(blank=True, choices=[('cancelled', 'The visit was cancelled or moved'), ('confirmed', 'The patient has confirmed'), ('read', 'The patient has read how to prepare'), ('overtaken', 'A later one says the same'), ('too_late', 'Its time is over'), ('otherwise', 'The visit went otherwise'), ('not_wanted', 'The patient does not want such messages'), ('no_way', 'There is no way to send it')], max_length=12)),
                    ('message', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inbox.message')),
                    ('entry', models.OneToOneField(blank=True, help_text='The wait that began with it, and ends with the visit unless the patient asked for it as well.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='mass_move_visit', to='scheduling.waitlistentry')),
                ],
                options={
                    'ordering': ['appointment__starts_at', 'pk'],
                    'indexes': [
                        models.Index(condition=models.Q(('message__isnull', False)), fields=['message'], name='mass_move_message'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('mass_move', 'appointment'), name='mass_move_visit_once'),
                        models.CheckConstraint(condition=models.Q(('told_at', None), ('untold_for', ''), _connector='OR'), name='mass_move_visit_told_or_not'),
                    ],
                },
            ),
            CreateModel(
                name='ExternalCode',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('source', models.CharField(max_length=120, verbose_name='system')),
                    ('value', models.CharField(max_length=120, verbose_name='code')),
                    ('practitioner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='scheduling.practitioner')),
                    ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='scheduling.healthcareservice')),
                    ('location', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='scheduling.location')),
                    ('room', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='scheduling.room')),
                ],
                options={
                    'ordering': ['source', 'value'],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('practitioner__isnull', False)), fields=('source', 'value'), name='external_code_once_per_practitioner'),
                        models.UniqueConstraint(condition=models.Q(('service__isnull', False)), fields=('source', 'value'), name='external_code_once_per_service'),
                        models.UniqueConstraint(condition=models.Q(('location__isnull', False)), fields=('source', 'value'), name='external_code_once_per_location'),
                        models.UniqueConstraint(condition=models.Q(('room__isnull', False)), fields=('source', 'value'), name='external_code_once_per_room'),
                        models.CheckConstraint(condition=models.Q(models.Q(('location', None), ('practitioner__isnull', False), ('room', None), ('service', None)), models.Q(('location', None), ('practitioner', None), ('room', None), ('service__isnull', False)), models.Q(('location__isnull', False), ('practitioner', None), ('room', None), ('service', None)), models.Q(('location', None), ('practitioner', None), ('room__isnull', False), ('service', None)), _connector='OR'), name='external_code_of_one'),
                    ],
                },
            ),
            CreateModel(
                name='ExternalVisit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('source', models.CharField(max_length=120)),
                    ('value', models.CharField(max_length=120)),
                    ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='external_ids', to='scheduling.appointment')),
                ],
                options={
                    'constraints': [
                        models.UniqueConstraint(fields=('source', 'value'), name='external_visit_once'),
                    ],
                },
            ),
            CreateModel(
                name='CalendarFeed',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('practitioner', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='calendar_feed', to='scheduling.practitioner')),
                    ('nonce', models.UUIDField(default=uuid.uuid4)),
                    ('shows_patients', models.BooleanField(default=False, help_text='Names then leave for whoever keeps that calendar.', verbose_name='names of patients')),
                    ('made_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('read_at', models.DateTimeField(blank=True, help_text='To the minute', null=True)),
                ],
                options={
                    'abstract': False,
                },
            ),
            CreateModel(
                name='NoShowRecovery',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('appointment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='recovery', to='scheduling.appointment')),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recoveries', to='patients.patient')),
                    ('status', django_fsm.FSMField(choices=[('open', 'To be told'), ('contacting', 'Being contacted'), ('rebooked', 'Booked again'), ('recovered', 'Made good'), ('declined', 'Wants no new visit'), ('unreachable', 'Not reached'), ('expired', 'Over'), ('void', 'The visit was not missed')], default='open', max_length=50, protected=True)),
                    ('path', models.CharField(choices=[('missed', 'Did not come'), ('not_brought', 'Was not brought')], default='missed', max_length=12)),
                    ('call_due_at', models.DateTimeField(blank=True, help_text='When somebody shall call', null=True)),
                    ('calls', models.PositiveSmallIntegerField(default=0, help_text='Calls that reached nobody')),
                    ('flagged_at', models.DateTimeField(blank=True, help_text='Since when a clinician shall look at it', null=True)),
                    ('reviewed_at', models.DateTimeField(blank=True, null=True)),
                    ('reviewed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('barrier', models.CharField(blank=True, choices=[('transport', 'No way to get here'), ('cost', 'Cost'), ('fear', 'Fear'), ('forgot', 'Forgot'), ('preparation', 'The preparation was not clear'), ('work', 'Work or school'), ('care', 'Has to care for somebody'), ('ill', 'Was too ill'), ('better', 'Felt better'), ('language', 'Did not understand us'), ('unaware', 'Did not know of it'), ('other', 'Something else')], max_length=12)),
                    ('note', models.CharField(blank=True, max_length=240)),
                    ('rebooked_as', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recoveries', to='scheduling.appointment')),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'verbose_name_plural': 'no-show recoveries',
                    'ordering': ['call_due_at', 'pk'],
                    'indexes': [
                        models.Index(condition=models.Q(('ended_at', None)), fields=['status', 'call_due_at'], name='recovery_to_do'),
                        models.Index(fields=['patient'], name='recovery_of_patient'),
                    ],
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['rebooked', 'recovered']), _negated=True), ('rebooked_as__isnull', False), _connector='OR'), name='recovery_booked_again_by_a_visit'),
                    ],
                },
                bases=(django_fsm.ConcurrentTransitionMixin, models.Model),
            ),
            CreateModel(
                name='RiskModel',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('terms', models.JSONField(help_text='Points by feature and value')),
                    ('card', models.JSONField(help_text='What it was made from, how good it is, and where it errs')),
                    ('visits', models.PositiveIntegerField()),
                    ('is_active', models.BooleanField(default=False)),
                ],
                options={
                    'ordering': ['-pk'],
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('is_active',), name='risk_model_one_active'),
                    ],
                },
            ),
            CreateModel(
                name='Reminder',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reminders', to='scheduling.appointment')),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='visit_reminders', to='patients.patient')),
                    ('kind', models.CharField(choices=[('booked', 'When it is booked or moved'), ('days_7', 'Seven days before'), ('preparation', 'How to prepare'), ('days_2', 'Two days before'), ('day_1', 'The day before'), ('missed', 'After a missed visit'), ('thanks', 'Thanks after the visit'), ('survey', 'Question how it was'), ('again', 'Sent again by a person')], max_length=12)),
                    ('channel_kind', models.CharField(blank=True, help_text='The way the patient preferred when planned.', max_length=12)),
                    ('due_at', models.DateTimeField()),
                    ('handed_at', models.DateTimeField(blank=True, null=True)),
                    ('message', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inbox.message')),
                    ('dropped_at', models.DateTimeField(blank=True, null=True)),
                    ('drop_reason', models.CharField(blank=True, choices=[('cancelled', 'The visit was cancelled or moved'), ('confirmed', 'The patient has confirmed'), ('read', 'The patient has read how to prepare'), ('overtaken', 'A later one says the same'), ('too_late', 'Its time is over'), ('otherwise', 'The visit went otherwise'), ('not_wanted', 'The patient does not want such messages'), ('no_way', 'There is no way to send it')], max_length=12)),
                    ('answer', models.CharField(blank=True, choices=[('confirm', 'Will come'), ('move', 'Wants another time'), ('decline', 'Cannot come'), ('cancel', 'Cancelled the visit'), ('read', 'Has read how to prepare'), ('rated', 'Said how it was'), ('unclear', 'Wrote something that a person must read')], max_length=10)),
                    ('rating', models.PositiveSmallIntegerField(blank=True, null=True)),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                    ('reply', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='inbox.message')),
                    ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['due_at', 'pk'],
                    'indexes': [
                        models.Index(condition=models.Q(('dropped_at', None), ('handed_at', None)), fields=['due_at', 'patient'], name='reminder_due'),
                        models.Index(condition=models.Q(('message__isnull', False)), fields=['message'], name='reminder_message'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('appointment', 'kind', 'channel_kind', 'due_at'), name='reminder_planned_once'),
                        models.UniqueConstraint(condition=models.Q(('dropped_at', None), models.Q(('kind', 'again'), _negated=True)), fields=('appointment', 'kind'), name='reminder_of_a_kind_once'),
                        models.CheckConstraint(condition=models.Q(('handed_at', None), ('dropped_at', None), _connector='OR'), name='reminder_handed_or_dropped'),
                        models.CheckConstraint(condition=models.Q(models.Q(('drop_reason', ''), ('dropped_at', None)), models.Q(('dropped_at__isnull', False), models.Q(('drop_reason', ''), _negated=True)), _connector='OR'), name='reminder_dropped_for_a_reason'),
                        models.CheckConstraint(condition=models.Q(('rating', None), models.Q(('rating__gte', 1), ('rating__lte', 5)), _connector='OR'), name='reminder_rating_in_range'),
                    ],
                },
            ),
            CreateModel(
                name='VisitQuestion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('patient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='visit_questions', to='patients.patient')),
                    ('address', models.CharField(max_length=254)),
                    ('message', models.ForeignKey(help_text='What was written.', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='inbox.message')),
                    ('answer', models.CharField(choices=[('confirm', 'Will come'), ('move', 'Wants another time'), ('decline', 'Cannot come'), ('cancel', 'Cancelled the visit'), ('read', 'Has read how to prepare'), ('rated', 'Said how it was'), ('unclear', 'Wrote something that a person must read')], help_text='What was understood.', max_length=10)),
                    ('appointment_ids', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), help_text='In the order of the numbers that were offered.', size=None)),
                    ('asked_at', models.DateTimeField()),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'constraints': [
                        models.UniqueConstraint(condition=models.Q(('answered_at', None)), fields=('patient', 'address'), name='visit_question_open_once'),
                    ],
                },
            ),
            CreateModel(
                name='Need',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='needs', to='scheduling.appointment')),
                    ('kind', models.CharField(choices=[('transport', 'Transport'), ('interpreter', 'Interpreter'), ('authorisation', 'Authorisation of the insurer'), ('documents', 'Documents')], max_length=14)),
                    ('is_required', models.BooleanField(default=False)),
                    ('note', models.CharField(blank=True, max_length=240)),
                    ('settled_at', models.DateTimeField(blank=True, null=True)),
                    ('settled_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['kind'],
                    'constraints': [
                        models.UniqueConstraint(fields=('appointment', 'kind'), name='need_once_per_visit'),
                    ],
                },
            ),
        ]),
        migrations.RunSQL(ADD_SEAT_OF_PLACES, DROP_SEAT_OF_PLACES),
    ]
