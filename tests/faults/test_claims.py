"""A hundred agents take one conversation in the same moment: one owns it, all others are told who was faster."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.conf import settings

from inbox.models import Interaction, TimelineEvent
from tests.factories.accounts import UserFactory
from tests.factories.inbox import InteractionFactory

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
AGENTS = 100
CSRF = "c" * 32


def test_D2_a_hundred_agents_claim_one_conversation_and_one_owns_it(make_lab, desk, team, signed_in, sms_channel):
    row = InteractionFactory(channel=sms_channel)
    sessions = []
    for _ in range(AGENTS):
        person = UserFactory(teams=[team], password=None)
        sessions.append(signed_in(person).cookies[settings.SESSION_COOKIE_NAME].value)
    lab = make_lab()
    lab.start_web()
    together = threading.Barrier(AGENTS)

    def claim(session):
        together.wait(60)
        answer = requests.post(
            f"{lab.web_url}/inbox/{row.pk}/take/",
            cookies={settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: CSRF},
            headers={"X-CSRFToken": CSRF, "HX-Request": "true", "HX-Target": "workspace"},
            timeout=120,
        )
        return answer.status_code

    with ThreadPoolExecutor(AGENTS) as pool:
        answers = Counter(pool.map(claim, sessions))
    taken = TimelineEvent.objects.filter(interaction=row, kind="taken").count()
    owner = Interaction.objects.get(pk=row.pk).owner
    print(f"D2: {AGENTS} agents claim one conversation: {dict(answers)}, {taken} transition")
    assert (dict(answers), taken, owner is not None) == ({200: 1, 409: AGENTS - 1}, 1, True)
