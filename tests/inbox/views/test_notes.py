"""Private notes: their files, their folding, and who finds them."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from inbox.models import Attachment, Mention, Note, NoteFile, Upload
from inbox.services.interactions import add_note
from inbox.services.uploads import clear_uploads, keep_upload
from tests.factories.inbox import InteractionFactory, MessageFactory, NoteFactory
from tests.factories.patients import PatientFactory
from tests.inbox.services.test_attachments import PDF, PNG

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "div#find-results"}


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())


def kept(agent, interaction, name="rash.png", content=PNG, kind="image/png"):
    file = SimpleUploadedFile(name, content, kind)
    return keep_upload(actor=agent, interaction_id=interaction.pk, upload=file)


def noted(agent, interaction, body="Look at this"):
    ids = [kept(agent, interaction).pk, kept(agent, interaction, "plan.pdf", PDF, "application/pdf").pk]
    return add_note(actor=agent, interaction_id=interaction.pk, body=body, upload_ids=ids)


def test_the_files_in_the_box_stay_with_the_note_and_are_no_message(agent, mine, signed_in):
    waiting = kept(agent, mine)
    given = {"mode": "note", "text": "Look at this", "upload": [waiting.pk]}
    signed_in(agent).post(reverse("inbox:compose", args=[mine.pk]), given)
    file = NoteFile.objects.get()
    assert (file.note.body, file.name, file.size, file.file.name) == (
        "Look at this",
        "rash.png",
        len(PNG),
        waiting.file.name,
    )
    assert (Upload.objects.count(), Attachment.objects.count()) == (0, 0)
    clear_uploads()
    assert default_storage.exists(file.file.name)


def test_a_note_may_be_nothing_but_a_file_and_not_nothing_at_all(agent, mine):
    note = noted(agent, mine, body=" ")
    assert (note.body, note.files.count()) == ("", 2)
    with pytest.raises(Refused, match="Write something first"):
        add_note(actor=agent, interaction_id=mine.pk, body=" ")


def test_a_file_that_is_gone_leaves_no_note(agent, mine):
    with pytest.raises(Refused, match="A file is no longer there"):
        add_note(actor=agent, interaction_id=mine.pk, body="See", upload_ids=[999_999])
    assert Note.objects.count() == 0


def test_the_thread_shows_a_notes_files_and_a_download_leaves_its_trace(agent, mine, signed_in):
    picture, plan = noted(agent, mine).files.all()
    client = signed_in(agent)
    page = client.get(reverse("inbox:interaction", args=[mine.pk])).content.decode()
    assert f'data-picture="{reverse("inbox:note-picture", args=[picture.pk])}"' in page
    answer = client.get(reverse("inbox:note-file", args=[plan.pk]), follow=True)
    assert (b"".join(answer), answer["Content-Disposition"]) == (PDF, 'attachment; filename="plan.pdf"')
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    entry = AuditEntry.objects.get(action="downloaded")
    assert (entry.object_type, entry.object_id, entry.patient_id) == ("note_file", plan.pk, mine.patient_id)
    assert client.get(reverse("inbox:note-picture", args=[plan.pk])).status_code == 404


def test_a_notes_file_is_read_by_whoever_may_read_the_note(agent, outsider, mine, signed_in):
    note = noted(agent, mine)
    address = reverse("inbox:note-file", args=[note.files.first().pk])
    stranger = signed_in(outsider)
    assert stranger.get(address).status_code == 404
    Mention.objects.create(note=note, interaction=mine, user=outsider)
    own = stranger.get(address).headers["Location"]
    assert (stranger.get(own).status_code, signed_in(agent).get(own).status_code) == (200, 404)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert stranger.get(own).status_code == 404


def test_a_very_long_note_is_folded_and_there_for_whoever_asks(agent, outsider, mine, signed_in):
    note = NoteFactory(interaction=mine, author=agent, body="<b>story</b> " * 4000)
    client = signed_in(agent)
    page = client.get(reverse("inbox:interaction", args=[mine.pk])).content.decode()
    assert (len(page) < 120_000, "Show all of this note" in page, "<b>story</b>" in page) == (True, True, False)
    address = reverse("inbox:note-text", args=[note.pk])
    rest = client.get(address, headers={"HX-Request": "true", "HX-Target": "rest"}).content.decode()
    assert rest.count("&lt;b&gt;story") == (note.body[2000:]).count("<b>story")
    assert "&lt;b&gt;story" in client.get(address).content.decode()
    assert signed_in(outsider).get(address).status_code == 404


# ---- found by their words ----


def find(client, text):
    found = client.post(reverse("inbox:find"), {"q": text}, headers=HTMX).context["found"]
    return [(hit.interaction.pk, hit.where, str(hit.snippet)) for hit in found.conversations]


def test_a_note_is_found_by_its_words_without_regard_to_accents_by_those_who_may_read_it(
    agent, outsider, mine, signed_in
):
    NoteFactory(interaction=mine, body="Está muy preocupada por la claustrofobia")
    assert find(signed_in(agent), "ESTA claustro") == [
        (mine.pk, "note", "<mark>Está</mark> muy preocupada por la <mark>claustrofobia</mark>")
    ]
    assert find(signed_in(outsider), "claustrofobia") == []


def test_a_message_with_the_words_comes_before_a_note(agent, mine, sms_channel, signed_in):
    from inbox.services.indexing import index_messages

    other = InteractionFactory(channel=sms_channel, owner=agent)
    MessageFactory(interaction=other, text="claustrofobia")
    NoteFactory(interaction=mine, body="claustrofobia")
    index_messages()
    assert [(pk, where) for pk, where, _words in find(signed_in(agent), "claustrofobia")] == [
        (other.pk, "message"),
        (mine.pk, "note"),
    ]


@pytest.mark.parametrize(("view", "status"), [("mine", "active"), ("closed", "closed")])
def test_a_view_is_searched_in_its_notes_too(agent, sms_channel, signed_in, view, status):
    row = InteractionFactory(channel=sms_channel, owner=agent, status=status)
    NoteFactory(interaction=row, body="Needs a wheelchair")
    InteractionFactory(channel=sms_channel, owner=agent, status=status)
    answer = signed_in(agent).post(reverse("inbox:search"), {"q": "wheelchair", "view": view}, follow=True)
    rows = answer.context["page"].object_list
    assert [(found.pk, found.hit.where) for found in rows] == [(row.pk, "note")]


def test_of_common_words_the_newest_notes_are_looked_at(agent, mine, monkeypatch):
    from inbox.selectors import note_search
    from inbox.selectors.interactions import interactions_visible_to

    monkeypatch.setattr(note_search, "RARE", 2)
    monkeypatch.setattr(note_search, "CHUNK", 2)
    notes = NoteFactory.create_batch(4, interaction=mine, body="call back")
    assert note_search.find_notes(note_search.seen_in(interactions_visible_to(agent)), "call", limit=8) == {
        mine.pk: notes[-1].pk
    }
