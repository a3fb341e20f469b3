"""A hundred agents take one conversation, or accept one offer, in the same moment: one owns it, all others are told."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from django.conf import settings
from django.utils import timezone

from inbox.enums import OfferStatus
from inbox.models import Interaction, Offer, TimelineEvent
from tests.factories.accounts import UserFactory
from tests.factories.distribution import OfferFactory
from tests.factories.inbox import InteractionFactory

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
AGENTS = 100
CSRF = "c" * 32


@pytest.fixture
def crowd(team, signed_in):
    """A hundred agents with their sessions; `crowd.post(path, data_of)` lets all of them ask at once."""
    return Crowd([UserFactory(teams=[team], password=None) for _ in range(AGENTS)], signed_in)


class Crowd:
    def __init__(self, people, signed_in):
        self.people = people
        self.sessions = [signed_in(one).cookies[settings.SESSION_COOKIE_NAME].value for one in people]

    def post(self, url, target, data_of):
        """What the server answered to each, counted by status."""
        together = threading.Barrier(AGENTS)

        def ask(person, session):
            together.wait(60)
            return requests.post(
                url,
                data_of(person),
                cookies={settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: CSRF},
                headers={"X-CSRFToken": CSRF, "HX-Request": "true", "HX-Target": target},
                timeout=120,
                allow_redirects=False,
            ).status_code

        with ThreadPoolExecutor(AGENTS) as pool:
            return dict(Counter(pool.map(ask, self.people, self.sessions)))


def test_D2_a_hundred_agents_claim_one_conversation_and_one_owns_it(make_lab, desk, crowd, sms_channel):
    row = InteractionFactory(channel=sms_channel)
    lab = make_lab()
    lab.start_web()
    answers = crowd.post(f"{lab.web_url}/inbox/{row.pk}/take/", "workspace", lambda person: {})
    taken = TimelineEvent.objects.filter(interaction=row, kind="taken").count()
    owner = Interaction.objects.get(pk=row.pk).owner
    print(f"D2: {AGENTS} agents claim one conversation: {answers}, {taken} transition")
    assert (answers, taken, owner is not None) == ({200: 1, 409: AGENTS - 1}, 1, True)


def test_D2_a_hundred_cards_of_one_offer_are_accepted_and_one_person_owns_it(make_lab, desk, crowd, sms_channel):
    """Ninety-nine had it on their screens until a moment ago; only the last one is still asked."""
    work, now = InteractionFactory(channel=sms_channel), timezone.now()
    past = {"interaction": work, "queue": work.queue, "channel_kind": work.channel_kind, "expires_at": now}
    asked = crowd.people[AGENTS // 2]
    cards = {
        person.pk: Offer.objects.create(agent=person, status=OfferStatus.MISSED, answered_at=now, **past).pk
        for person in crowd.people
        if person != asked
    }
    cards[asked.pk] = OfferFactory(interaction=work, agent=asked, expires_at=now + timedelta(minutes=9)).pk
    lab = make_lab()
    lab.start_web()
    answers = crowd.post(
        f"{lab.web_url}/inbox/offers/", "offers", lambda person: {"offer": cards[person.pk], "answer": "accept"}
    )
    taken = TimelineEvent.objects.filter(interaction=work, kind="taken").count()
    broken = sum(n for status, n in answers.items() if status >= 500)
    print(f"D2: {AGENTS} accept one offer: {answers}, {taken} transition, {broken} x 5xx")
    assert (answers, taken) == ({200: 1, 409: AGENTS - 1}, 1)
    assert Interaction.objects.get(pk=work.pk).owner == asked
