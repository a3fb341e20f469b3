"""The hospital's system beside Aurora: what it calls our practitioners, services and sites; and one calendar."""

from scheduling.models import CalendarFeed, ExternalCode, HealthcareService, Location, Practitioner

SOURCE = "MERCY-HIS"


def set_up_neighbours() -> None:
    """Codes for everybody and everything that is booked, so that its HL7 and FHIR messages are understood."""
    people = list(Practitioner.objects.order_by("pk"))
    codes = [
        *(
            ExternalCode(source=SOURCE, value=f"DOC{number:03}", practitioner=row)
            for number, row in enumerate(people, 1)
        ),
        *(ExternalCode(source=SOURCE, value=row.code.upper(), service=row) for row in HealthcareService.objects.all()),
        *(
            ExternalCode(source=SOURCE, value=f"SITE{number}", location=row)
            for number, row in enumerate(Location.objects.order_by("pk"), 1)
        ),
    ]
    ExternalCode.objects.bulk_create(codes)
    if people:
        CalendarFeed.objects.create(practitioner=people[0])
