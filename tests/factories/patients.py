"""Patients and the ways to reach them."""

from datetime import UTC

import factory
from factory.django import DjangoModelFactory

from patients.enums import ConsentPurpose, ConsentStatus, ContactScheme, Relation
from patients.models import Consent, ContactPoint, Identifier, Patient, PostalAddress, RelatedPerson

US_MOBILE = "+1305555{:04d}"
"""Numbers of the factories begin at 1000: tests name those below, which are kept for fiction, themselves."""


class PatientFactory(DjangoModelFactory):
    """A patient without addresses; `phone=` and `email=` add one of each."""

    class Meta:
        model = Patient
        skip_postgeneration_save = True

    mrn = factory.Sequence(lambda n: f"T-{n:06d}")
    given_name = factory.Faker("first_name")
    family_name = factory.Faker("last_name")
    birth_date = factory.Faker("date_of_birth", minimum_age=1, maximum_age=95)

    @factory.post_generation
    def phone(self, create, extracted, **kwargs):
        if extracted:
            ContactPointFactory(patient=self, value=extracted, **kwargs)

    @factory.post_generation
    def email(self, create, extracted, **kwargs):
        if extracted:
            ContactPointFactory(patient=self, scheme=ContactScheme.EMAIL, value=extracted, **kwargs)


class ContactPointFactory(DjangoModelFactory):
    class Meta:
        model = ContactPoint

    patient = factory.SubFactory(PatientFactory)
    scheme = ContactScheme.PHONE
    value = factory.Sequence(lambda n: US_MOBILE.format(1000 + n % 9_000))
    raw = factory.SelfAttribute("value")


class RelatedPersonFactory(DjangoModelFactory):
    class Meta:
        model = RelatedPerson

    patient = factory.SubFactory(PatientFactory)
    name = factory.Faker("name")
    relation = Relation.PARENT


class ConsentFactory(DjangoModelFactory):
    class Meta:
        model = Consent

    patient = factory.SubFactory(PatientFactory)
    purpose = ConsentPurpose.REMINDERS
    channel_kind = "sms"
    status = ConsentStatus.GRANTED
    source = "test"
    recorded_at = factory.Faker("past_datetime", tzinfo=UTC)


class IdentifierFactory(DjangoModelFactory):
    class Meta:
        model = Identifier

    patient = factory.SubFactory(PatientFactory)
    system = "national"
    value = factory.Sequence(lambda n: f"N{n:08d}")


class PostalAddressFactory(DjangoModelFactory):
    class Meta:
        model = PostalAddress

    patient = factory.SubFactory(PatientFactory)
    line = "12 Calle Ocho"
    city = "Miami"
    postal_code = "33135"
