import contact_center.accounts.models
import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations import CreateModel

from contact_center.common.schema import CreateModels


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        CreateModels([
            CreateModel(
                name='Team',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('name', models.CharField(max_length=80, unique=True)),
                    ('slug', models.SlugField(unique=True)),
                    ('is_partner', models.BooleanField(default=False, help_text='An outsourced team: sees only its own queues.')),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            CreateModel(
                name='User',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('password', models.CharField(max_length=128, verbose_name='password')),
                    ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                    ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                    ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                    ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                    ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                    ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                    ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                    ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail')),
                    ('role', models.CharField(choices=[('agent', 'Agent'), ('clinical_agent', 'Clinical agent'), ('partner_agent', 'Partner agent'), ('supervisor', 'Supervisor'), ('admin', 'Admin'), ('auditor', 'Auditor')], default='agent', max_length=20)),
                    ('language', models.CharField(default='en', max_length=8)),
                    ('is_service_account', models.BooleanField(default=False)),
                    ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                    ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                    ('teams', models.ManyToManyField(related_name='members', through='accounts.TeamMembership', to='accounts.team')),
                ],
                options={
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('role__in', ['agent', 'clinical_agent', 'partner_agent', 'supervisor', 'admin', 'auditor'])), name='user_role_known'),
                    ],
                },
                managers=[
                    ('objects', contact_center.accounts.models.UserManager()),
                ],
            ),
            CreateModel(
                name='TeamMembership',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                    ('team', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='accounts.team')),
                    ('is_lead', models.BooleanField(default=False)),
                ],
                options={
                    'constraints': [
                        models.UniqueConstraint(fields=('user', 'team'), name='team_membership_once'),
                    ],
                },
            ),
            CreateModel(
                name='Skill',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=80, unique=True)),
                    ('code', models.SlugField(unique=True)),
                    ('kind', models.CharField(choices=[('language', 'Language'), ('service_line', 'Service line'), ('licence', 'Clinical licence')], max_length=20)),
                ],
                options={
                    'ordering': ['kind', 'name'],
                },
            ),
            CreateModel(
                name='UserSkill',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skills', to=settings.AUTH_USER_MODEL)),
                    ('skill', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='holders', to='accounts.skill')),
                    ('level', models.PositiveSmallIntegerField(default=3, help_text='1 basic to 5 expert')),
                ],
                options={
                    'constraints': [
                        models.UniqueConstraint(fields=('user', 'skill'), name='user_skill_once'),
                        models.CheckConstraint(condition=models.Q(('level__range', (1, 5))), name='user_skill_level_1_to_5'),
                    ],
                },
            ),
            CreateModel(
                name='Presence',
                fields=[
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='presence', serialize=False, to=settings.AUTH_USER_MODEL)),
                    ('state', models.CharField(choices=[('online', 'Available'), ('busy', 'Busy'), ('away', 'Away'), ('offline', 'Offline')], default='offline', max_length=10)),
                    ('reason', models.CharField(blank=True, max_length=80)),
                    ('since_at', models.DateTimeField(default=django.utils.timezone.now)),
                ],
                options={
                    'abstract': False,
                },
            ),
            CreateModel(
                name='PresenceChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='presence_changes', to=settings.AUTH_USER_MODEL)),
                    ('state', models.CharField(choices=[('online', 'Available'), ('busy', 'Busy'), ('away', 'Away'), ('offline', 'Offline')], max_length=10)),
                    ('reason', models.CharField(blank=True, max_length=80)),
                    ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ],
                options={
                    'indexes': [
                        models.Index(fields=['user', '-at'], name='presence_change_user_at'),
                    ],
                },
            ),
            CreateModel(
                name='SecondFactorRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('updated_at', models.DateTimeField(auto_now=True)),
                    ('role', models.CharField(choices=[('agent', 'Agent'), ('clinical_agent', 'Clinical agent'), ('partner_agent', 'Partner agent'), ('supervisor', 'Supervisor'), ('admin', 'Admin'), ('auditor', 'Auditor')], max_length=20, unique=True)),
                    ('is_required', models.BooleanField()),
                ],
                options={
                    'constraints': [
                        models.CheckConstraint(condition=models.Q(('role__in', ['agent', 'clinical_agent', 'partner_agent', 'supervisor', 'admin', 'auditor'])), name='second_factor_role_known'),
                    ],
                },
            ),
            CreateModel(
                name='SentForm',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('key', models.CharField(max_length=64)),
                    ('made_id', models.BigIntegerField(null=True)),
                    ('sent_at', models.DateTimeField(default=django.utils.timezone.now)),
                ],
                options={
                    'indexes': [
                        models.Index(fields=['sent_at'], name='sent_form_age'),
                    ],
                    'constraints': [
                        models.UniqueConstraint(fields=('user', 'key'), name='sent_form_once'),
                    ],
                },
            ),
            CreateModel(
                name='ApiKey',
                fields=[
                    ('digest', models.CharField(max_length=128, primary_key=True, serialize=False)),
                    ('token_key', models.CharField(db_index=True, max_length=25)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='auth_token_set', to=settings.AUTH_USER_MODEL)),
                    ('created', models.DateTimeField(auto_now_add=True)),
                    ('expiry', models.DateTimeField(blank=True, null=True)),
                    ('name', models.CharField(max_length=80)),
                    ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'abstract': False,
                },
            ),
        ]),
    ]
