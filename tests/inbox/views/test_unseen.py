"""Two people change the same thing: the second is told what the first made of it, and loses nothing."""

import html
import re

import pytest
from django.urls import reverse

from tests.factories.inbox import InteractionFactory, SavedViewFactory, TaskFactory
from tests.factories.patients import PatientFactory
from tests.factories.writing import CannedReplyFactory, MacroFactory

pytestmark = pytest.mark.django_db
SENTENCE = "Somebody else changed this while you were writing."


def version_in(page):
    return html.unescape(re.search(r'name="seen_version" value="([^"]+)"', page.content.decode())[1])


def task(agent, channel):
    row = TaskFactory(interaction=InteractionFactory(channel=channel, owner=agent, patient=PatientFactory()))
    return row, "task", {"title": "Call the lab"}, {"title": "Call the ward"}, "title"


def canned(agent, channel):
    row = CannedReplyFactory(owner=None, team=None, shortcode="hi", body="Hello")
    given = {"title": row.title, "shortcode": "hi", "keeper": "everybody", "language": row.language}
    return row, "canned-edit", given | {"body": "Good morning"}, given | {"body": "Good evening"}, "body"


def macro(agent, channel):
    row = MacroFactory(owner=None, team=None)
    given = {"keeper": "everybody", "step_0": "snooze:1"}
    return row, "macro-edit", given | {"name": "First"}, given | {"name": "Second"}, "name"


def view(agent, channel):
    row = SavedViewFactory(owner=None, team=None)
    given = {"language": ["es"], "match": "all", "order": "due", "audience": "everybody"}
    return row, "saved-view", given | {"name": "First"}, given | {"name": "Second"}, "name"


@pytest.mark.parametrize("thing", [task, canned, macro, view])
def test_an_edit_over_an_unseen_version_is_refused_compared_and_then_saved(
    thing, agent, supervisor, admin, sms_channel, signed_in
):
    row, name, theirs, ours, field = thing(agent, sms_channel)
    url = reverse(f"inbox:{name}", args=[row.pk])
    one, two = signed_in(supervisor), signed_in(admin)
    seen, late = version_in(one.get(url)), version_in(two.get(url))
    one.post(url, theirs | {"seen_version": seen})
    refused = two.post(url, ours | {"seen_version": late})
    page = html.unescape(refused.content.decode())
    row.refresh_from_db()
    assert (refused.status_code, SENTENCE in page, getattr(row, field)) == (409, True, theirs[field])
    assert (ours[field] in page, (theirs[field] in [words for _label, words in refused.context["theirs"]])) == (
        True,
        True,
    )
    two.post(url, ours | {"seen_version": version_in(refused)})
    row.refresh_from_db()
    assert getattr(row, field) == ours[field]


def test_a_wrong_field_does_not_make_the_newer_version_seen(agent, supervisor, sms_channel, signed_in):
    row, name, theirs, ours, _field = task(agent, sms_channel)
    url = reverse(f"inbox:{name}", args=[row.pk])
    one, two = signed_in(supervisor), signed_in(agent)
    seen = version_in(two.get(url))
    one.post(url, theirs)
    wrong = two.post(url, {"title": "", "seen_version": seen})
    assert (wrong.status_code, version_in(wrong)) == (422, seen)
    assert two.post(url, ours | {"seen_version": version_in(wrong)}).status_code == 409
