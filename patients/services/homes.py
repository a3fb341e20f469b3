"""Where a patient lives, as staff write it down: adding, changing and removing postal addresses."""

from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.versions import refuse_unseen
from patients.models import PostalAddress
from patients.services.care import clean, conclude, remove_row, save_unless_known
from patients.services.locking import lock_patient, lock_row


class HomeFields(TypedDict, total=False):
    """What a postal address says; `use` is one of AddressUse."""

    use: str
    line: str
    extra_line: str
    city: str
    region: str
    postal_code: str
    country: str


@transaction.atomic
def add_home(*, actor: User, patient_id: int, **fields: Unpack[HomeFields]) -> PostalAddress:
    """One more address of this patient.

    Raises ValidationError (by field; at `line` for one that is empty or known), PermissionDenied, Patient.DoesNotExist.
    """
    home = PostalAddress(patient=lock_patient(actor, patient_id), **fields)
    _write(home)
    conclude(actor, AuditAction.CREATED, home, home.patient, use=home.use)
    return home


@transaction.atomic
def change_home(
    *, actor: User, home_id: int, seen_version: str | None = None, **fields: Unpack[HomeFields]
) -> PostalAddress:
    """Write these words over those of an address; `seen_version` is the version that the writer saw.

    Raises as `add_home`, and Unseen, PostalAddress.DoesNotExist.
    """
    home = lock_row(PostalAddress, actor, home_id)
    refuse_unseen(home, seen_version)
    before = {name: getattr(home, name) for name in fields}
    for name, value in fields.items():
        setattr(home, name, value)
    _write(home)
    changed = sorted(name for name, old in before.items() if getattr(home, name) != old)
    conclude(actor, AuditAction.CHANGED, home, home.patient, fields=changed)
    return home


@transaction.atomic
def remove_home(*, actor: User, home_id: int) -> None:
    """The patient lives there no more. Raises PermissionDenied, PostalAddress.DoesNotExist."""
    remove_row(PostalAddress, actor, home_id)


def _write(home: PostalAddress) -> None:
    clean(home, {"patient"})
    if not (home.line or home.extra_line or home.city or home.postal_code):
        raise ValidationError({"line": _("Write a street, a town or a postal code.")})
    save_unless_known(home, "line", _("This address is on record already."))
