"""Signing in and out, forgotten passwords, sessions that end."""

import re

import pytest
import time_machine
from django.core import mail
from django.test import Client

from contact_center.audit.models import AuditEntry
from tests.factories.accounts import PASSWORD

LOGIN = "/accounts/login/"


def sign_in(client, email, password=PASSWORD):
    return client.post(LOGIN, {"login": email, "password": password})


def trail():
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor_id", "object_id"))


def test_the_right_password_opens_the_door_and_is_on_record(agent):
    response = sign_in(Client(), "Agent@Aurora.test")
    assert (response.status_code, response.url) == (302, "/")
    assert trail() == [("signed_in", agent.pk, agent.pk)]


def test_the_wrong_password_says_so_and_keeps_the_address(agent):
    response = sign_in(Client(), agent.email, "wrong")
    assert response.status_code == 200
    assert response.context["form"]["login"].value() == agent.email
    assert trail() == [("sign_in_failed", None, agent.pk)]


def test_signing_out_takes_a_post_and_is_on_record(agent, signed_in):
    browser = signed_in(agent)
    browser.get("/accounts/logout/")
    assert browser.get("/accounts/sessions/").status_code == 200
    browser.post("/accounts/logout/")
    assert browser.get("/accounts/sessions/").status_code == 302
    assert [action for action, *_ in trail()] == ["signed_in", "signed_out"]


def test_nobody_signs_up(db):
    response = Client().post("/accounts/signup/", {"email": "x@example.org", "password1": PASSWORD})
    assert (response.status_code, response.url) == (302, LOGIN)


def test_somebody_disabled_stays_out(agent):
    agent.is_active = False
    agent.save()
    client = Client()
    sign_in(client, agent.email)
    assert client.get("/accounts/sessions/").status_code == 302


def test_a_forgotten_password_is_replaced_by_the_link_in_the_mail(agent):
    client = Client()
    client.post("/accounts/password/reset/", {"email": agent.email})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)[1]
    page = client.get(link, follow=True)
    new = "another-long-passphrase"
    client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert mail.outbox[0].to == [agent.email]
    assert sign_in(Client(), agent.email).status_code == 200
    assert sign_in(Client(), agent.email, new).status_code == 302


def test_the_answer_for_an_unknown_address_is_the_same(agent):
    known = Client().post("/accounts/password/reset/", {"email": agent.email})
    unknown = Client().post("/accounts/password/reset/", {"email": "nobody@aurora.test"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


@pytest.mark.parametrize("weak", ["short", "password1234567"[:11], "12345678"])
def test_a_weak_new_password_is_refused(agent, signed_in, weak):
    browser = signed_in(agent)
    browser.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": weak, "password2": weak})
    agent.refresh_from_db()
    assert agent.check_password(PASSWORD)


@pytest.fixture
def clock():
    with time_machine.travel(1_800_000_000, tick=False) as traveller:
        yield traveller


def is_in(browser, **headers):
    return browser.get("/accounts/sessions/", headers=headers).status_code == 200


def test_a_session_ends_after_idle_time(agent, signed_in, settings, clock):
    browser = signed_in(agent)
    assert is_in(browser)
    clock.shift(settings.SESSION_IDLE_SECONDS)
    assert is_in(browser)
    clock.shift(settings.SESSION_IDLE_SECONDS + 1)
    assert not is_in(browser)


def test_a_page_that_refreshes_itself_does_not_keep_a_session(agent, signed_in, settings, clock):
    browser = signed_in(agent)
    assert is_in(browser)
    for _ in range(31):
        clock.shift(settings.SESSION_IDLE_SECONDS / 30)
        stayed = is_in(browser, X_Background="1")
    assert not stayed


def test_a_session_in_steady_use_ends_after_twelve_hours(agent, signed_in, settings, clock):
    browser = signed_in(agent)
    hours = 0
    while is_in(browser) and hours < 24:
        clock.shift(850)
        hours += 850 / 3600
    assert 12 <= hours < 12.5


def test_a_changed_password_ends_the_other_sessions(agent, signed_in):
    here, elsewhere = signed_in(agent), signed_in(agent)
    new = "another-long-passphrase"
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert (is_in(here), is_in(elsewhere)) == (True, False)


def test_sign_in_pages_hold_the_strict_policy(db):
    policy = Client().get(LOGIN).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
