"""People who work here: users, teams, skills, presence, API keys."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken, AuthTokenManager

from contact_center.accounts.enums import PresenceState, Role, SkillKind
from contact_center.common.models import TimeStampedModel, WordedModel


class UserManager(DjangoUserManager["User"]):
    """Users are found and created by e-mail address, compared without case."""

    def _create_user(self, email: str, password: str | None, **extra: Any) -> "User":  # type: ignore[override]
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":  # type: ignore[override]
        return self._create_user(email, password, **extra)

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":  # type: ignore[override]
        return self._create_user(
            email, password, **{"role": Role.ADMIN, "is_staff": True, "is_superuser": True} | extra
        )


class User(AbstractUser):  # type: ignore[django-manager-missing]  # knox is not typed
    """A person (or an integration) who acts in Continuo. Signs in with the e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail"), unique=True)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.AGENT)
    language = models.CharField(max_length=8, default="en")
    teams: "models.ManyToManyField[Team, TeamMembership]" = models.ManyToManyField(
        "Team", through="TeamMembership", related_name="members"
    )
    is_service_account = models.BooleanField(default=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or f"user {self.pk}"

    @property
    def initials(self) -> str:
        """Two letters for the avatar."""
        return (self.first_name[:1] + self.last_name[:1]).upper() or "?"


class Team(TimeStampedModel):
    """A group of people who share queues."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(unique=True)
    is_partner = models.BooleanField(default=False, help_text=_("An outsourced team: sees only its own queues."))

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TeamMembership(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    is_lead = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="team_membership_once")]

    def __str__(self) -> str:
        return f"membership {self.pk}"


class Skill(models.Model):
    """Something work may ask of an agent: a language, a service line, a licence."""

    name = models.CharField(max_length=80, unique=True)
    code = models.SlugField(unique=True)
    kind = models.CharField(max_length=20, choices=SkillKind.choices)

    class Meta:
        ordering = ["kind", "name"]

    def __str__(self) -> str:
        return self.name


class UserSkill(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="skills")
    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="holders")
    level = models.PositiveSmallIntegerField(default=3, help_text=_("1 basic to 5 expert"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "skill"], name="user_skill_once"),
            models.CheckConstraint(condition=models.Q(level__range=(1, 5)), name="user_skill_level_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"skill {self.skill_id} of user {self.user_id}"


class Presence(WordedModel):
    """What a person is doing now. History stands in `PresenceChange`."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="presence", primary_key=True)
    state = models.CharField(max_length=10, choices=PresenceState.choices, default=PresenceState.OFFLINE)
    reason = models.CharField(max_length=80, blank=True)
    since_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"presence of user {self.user_id}: {self.state}"


class PresenceChange(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="presence_changes")
    state = models.CharField(max_length=10, choices=PresenceState.choices)
    reason = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["user", "-at"], name="presence_change_user_at")]

    def __str__(self) -> str:
        return f"presence change {self.pk}"


class SecondFactorRule(TimeStampedModel):
    """Whether people of one role need a second factor. Without a row, `SECOND_FACTOR_REQUIRED` says."""

    role = models.CharField(max_length=20, choices=Role.choices, unique=True)
    is_required = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="second_factor_role_known"),
        ]

    def __str__(self) -> str:
        return f"second factor of {self.role}"


class SentForm(models.Model):
    """A form that made something; `key` was drawn with it. `made_id` is the row it made, where that was one row."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    made_id = models.BigIntegerField(null=True)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="sent_form_once")]
        indexes = [models.Index(fields=["sent_at"], name="sent_form_age")]

    def __str__(self) -> str:
        return f"sent form {self.pk}"


class ApiKey(AbstractAuthToken):
    """A hashed, revocable key of one integration. Its user carries the role, `scopes` narrow it further."""

    name = models.CharField(max_length=80)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[AuthTokenManager] = AuthTokenManager()

    def __str__(self) -> str:
        return f"API key {self.name}"
