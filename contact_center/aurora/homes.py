"""Where some of the demo clinic's patients live, and the numbers that registers gave them."""

from patients.enums import Register
from patients.models import Identifier, Patient, PostalAddress

MOST = 600
STREETS = ("Calle Ocho", "Coral Way", "Biscayne Boulevard", "Alhambra Circle", "Brickell Avenue", "Flagler Street")
TOWNS = (("Miami", "33135"), ("Coral Gables", "33134"), ("Aventura", "33180"), ("Hialeah", "33012"), ("Doral", "33166"))
REGISTERS = (Register.NATIONAL, Register.PASSPORT, Register.DRIVING)


def write_down() -> None:
    """A home of every second patient and a number of every third, of the first ones; the same each time."""
    homes, numbers = [], []
    for place, pk in enumerate(Patient.objects.order_by("pk").values_list("pk", flat=True)[:MOST]):
        town, code = TOWNS[place % len(TOWNS)]
        line = f"{100 + 7 * place} {STREETS[place % len(STREETS)]}"
        if place % 2 == 0:
            homes.append(PostalAddress(patient_id=pk, line=line, city=town, region="FL", postal_code=code))
        if place % 3 == 0:
            value = f"X{10_000_019 + 7_919 * place}"
            system = REGISTERS[place // 3 % len(REGISTERS)]
            numbers.append(Identifier(patient_id=pk, system=system, value=value, raw=value))
    PostalAddress.objects.bulk_create(homes)
    Identifier.objects.bulk_create(numbers)
