"""A passkey in a real browser with an authenticator that Chromium plays: made, used alone, and after the password."""

import re

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import expect

from tests.factories.accounts import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADD, LOGIN, SECOND_STEP = "/accounts/second-factor/keys/add/", "/accounts/login/", "/accounts/second-factor/code/"
FINGERPRINT_READER = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def arrives(page):
    """Waits until the sign-in pages are left behind."""
    expect(page).not_to_have_url(re.compile("/accounts/"))


def test_a_passkey_is_made_and_opens_the_house_alone_and_after_the_password(
    page, live_server, calm, agent, console_errors
):
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": FINGERPRINT_READER})

    def give_the_password():
        page.goto(live_server.url + LOGIN)
        page.fill("[name=login]", agent.email)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")

    give_the_password()
    arrives(page)
    page.goto(live_server.url + ADD)
    page.fill("[name=name]", "My phone")
    page.click("main [type=submit]")
    expect(page).not_to_have_url(re.compile(ADD))
    assert [(row.type, row.user) for row in Authenticator.objects.exclude(type="recovery_codes")] == [
        ("webauthn", agent)
    ]

    page.context.clear_cookies()
    page.goto(live_server.url + LOGIN)
    page.click("form[data-passkey] [type=submit]")
    arrives(page)

    page.context.clear_cookies()
    give_the_password()
    expect(page).to_have_url(re.compile(SECOND_STEP))
    page.click("form[data-passkey] [type=submit]")
    arrives(page)
    assert console_errors() == []
