"""Files that the staff of the demo clinic keep with their private notes."""

from django.core.files.base import ContentFile

from contact_center.aurora.files import letter, picture
from inbox.enums import InteractionStatus
from inbox.models import Note, NoteFile

KEPT = [
    ("insurance-card.png", "image/png", lambda: picture(320, 200, (214, 228, 240))),
    ("referral.pdf", "application/pdf", lambda: letter(["Referral", "", "Please see this patient for imaging."])),
    ("authorization.pdf", "application/pdf", lambda: letter(["Prior authorization", "", "Approved for one visit."])),
]


def keep_some() -> None:
    """A file each with the oldest notes of what is being worked on, the same ones each time."""
    notes = Note.objects.filter(interaction__status=InteractionStatus.ACTIVE).order_by("pk")
    for note, (name, content_type, make) in zip(notes[: len(KEPT)], KEPT, strict=False):
        content = make()
        file = NoteFile(note=note, name=name, content_type=content_type, size=len(content))
        file.file.save("unused", ContentFile(content))
