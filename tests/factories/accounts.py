"""People who work here."""

import factory
from factory.django import DjangoModelFactory

from contact_center.accounts.enums import Role, SkillKind
from contact_center.accounts.models import Skill, Team, TeamMembership, User

PASSWORD = "a-long-test-passphrase"


class UserFactory(DjangoModelFactory):
    """A person with a usable password (`PASSWORD`); `teams=[...]` makes memberships."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@aurora.test")
    first_name = factory.Faker("first_name")
    last_name = factory.Faker("last_name")
    role = Role.AGENT
    is_staff = factory.LazyAttribute(lambda user: user.role == Role.ADMIN)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        password = kwargs.pop("password", PASSWORD)
        return model_class.objects.create_user(*args, password=password, **kwargs)

    @factory.post_generation
    def teams(self, create, extracted, **kwargs):
        for team in extracted or []:
            TeamMembership.objects.create(user=self, team=team)


class TeamFactory(DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")
    slug = factory.Sequence(lambda n: f"team-{n}")


class SkillFactory(DjangoModelFactory):
    class Meta:
        model = Skill

    name = factory.Sequence(lambda n: f"Skill {n}")
    code = factory.Sequence(lambda n: f"skill-{n}")
    kind = SkillKind.LANGUAGE
