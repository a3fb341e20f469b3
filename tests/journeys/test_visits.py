"""A patient who did not come is found, told, called and made good, with the days that pass at a click."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from scheduling.models import Appointment, NoShowRecovery
from scheduling.services.booking import Wish
from scheduling.services.booking import book as book_visit
from scheduling.services.demonstration import EVERY


def test_a_patient_who_does_not_come_is_told_booked_again_and_made_good(hire, practice):
    agent, phones = hire(), [practice.patient(f"Eva{number}") for number in range(EVERY)]
    tomorrow = datetime.now(ZoneInfo(practice.zone)).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    visits = {}
    for number, phone in enumerate(phones):
        at = tomorrow.replace(hour=9) + timedelta(minutes=30 * number)
        wish = Wish(practice.service.pk, at, practice.doctor.pk, practice.site.pk)
        visits[book_visit(actor=None, patient_id=phone.patient.pk, wishes=[wish])[0].pk] = phone
    (missed,) = [pk for pk in visits if pk % EVERY == 0]
    phone = visits[missed]
    phone.next_day()
    assert phone.until_told(f"{phone.patient.given_name}, we missed you").endswith("another time with you.")
    assert sorted(Appointment.objects.filter(pk__in=visits).values_list("status", flat=True)) == [
        "fulfilled", "fulfilled", "noshow",
    ]  # fmt: skip
    row = NoShowRecovery.objects.get(appointment=missed)
    assert phone.patient.full_name in agent.get("/schedule/capacity/").response.text
    agent.post(f"/schedule/capacity/recovery/{row.pk}/barrier/", barrier="transport")
    where = f"/patients/{phone.patient.pk}/visits/book/?service={practice.service.pk}&mode=on_site"
    slot = agent.get(where).tree.xpath("//input[@name='slot']/@value")[0]
    agent.post(where, slot=slot, service=practice.service.pk)
    again = Appointment.objects.get(patient=phone.patient, status="booked")
    row.refresh_from_db()
    assert (row.status, row.barrier, row.rebooked_as) == ("rebooked", "transport", again)
    for verb in ("arrive", "fulfil"):
        agent.post(f"/visits/{again.pk}/{verb}/")
    row.refresh_from_db()
    assert row.status == "recovered"
