"""The language and the theme of a person's pages, and where a person lands after signing in."""

import pytest
from django.test import Client
from django.urls import reverse

from contact_center.accounts import services
from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused

PREFERENCES = "/accounts/preferences/"
pytestmark = pytest.mark.django_db


def language_of(response):
    return response.content.decode().split('<html lang="')[1].split('"')[0]


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_pages_speak_the_language_of_the_person_whatever_the_browser_asks_for(language, agent, signed_in):
    services.choose_language(actor=agent, language=language)
    response = signed_in(agent).get("/inbox/", headers={"Accept-Language": "de"})
    assert (language_of(response), response.headers["Content-Language"]) == (language, language)


def test_a_language_chosen_on_the_sign_in_page_wins_over_the_persons_own(agent, signed_in):
    browser = signed_in(agent)
    browser.cookies.load({"django_language": "pt"})
    assert language_of(browser.get("/inbox/")) == "pt"


def test_a_stranger_chooses_the_language_of_the_sign_in_page(client):
    answer = client.post(
        PREFERENCES, {"language": "es"}, headers={"Referer": "http://testserver/accounts/login/?next=/x"}
    )
    assert answer.headers["Location"] == "/accounts/login/?next=/x"
    assert language_of(client.get("/accounts/login/")) == "es"


def test_the_language_chosen_in_the_account_menu_stays_with_the_person(agent, signed_in):
    browser = signed_in(agent)
    browser.cookies.load({"django_language": "pt"})
    browser.post(PREFERENCES, {"language": "es"})
    agent.refresh_from_db()
    assert (agent.language, language_of(browser.get("/inbox/")), language_of(signed_in(agent).get("/inbox/"))) == (
        "es",
        "es",
        "es",
    )
    assert [(entry.object_id, entry.detail) for entry in AuditEntry.objects.filter(action="changed")] == [
        (agent.pk, {"fields": ["language"]})
    ]


def test_a_language_that_is_not_on_offer_is_refused_and_changes_nothing(agent, signed_in):
    with pytest.raises(Refused):
        services.choose_language(actor=agent, language="tlh")
    signed_in(agent).post(PREFERENCES, {"language": "../en"})
    agent.refresh_from_db()
    assert agent.language == "en"


@pytest.mark.parametrize(("theme", "kept"), [("dark", "dark"), ("light", "light"), ("", ""), ("pink", "")])
def test_a_theme_is_kept_by_the_browser_and_rendered_by_the_server(theme, kept, agent, signed_in):
    browser = signed_in(agent)
    browser.post(PREFERENCES, {"theme": theme})
    page = browser.get("/inbox/").content.decode()
    assert page.split("<html")[1].split(">")[0].partition("data-theme=")[2] == (f'"{kept}"' if kept else "")


@pytest.mark.parametrize(
    "origin", ["", "https://elsewhere.example/inbox/", "javascript:alert(1)", "//elsewhere.example"]
)
def test_a_choice_never_leads_out_of_the_house(origin, client):
    assert client.post(PREFERENCES, {"theme": "dark"}, headers={"Referer": origin}).headers["Location"] == "/"


def test_the_start_is_the_first_place_a_person_may_use(everybody, signed_in):
    found = {name: signed_in(user).get("/").headers["Location"] for name, user in vars(everybody).items()}
    workers = dict.fromkeys(set(found) - {"auditor"}, reverse("inbox:list"))
    assert found == {"auditor": reverse("inbox:outbox"), **workers}


def test_a_person_without_any_place_is_told_whom_to_ask(auditor, signed_in, monkeypatch):
    monkeypatch.setattr("contact_center.common.views.entries_for", lambda request: [])
    answer = signed_in(auditor).get("/")
    assert (answer.status_code, answer.templates[0].name) == (200, "no_place.html")
    assert "An administrator can give you one." in answer.content.decode()


def test_every_page_names_the_organisation(agent, signed_in, settings):
    settings.ORGANISATION_NAME = "Clínica San Telmo"
    pages = [signed_in(agent).get("/inbox/"), signed_in(agent).get("/forms/")]
    assert ["Clínica San Telmo" in page.content.decode() for page in pages] == [True, True]


def test_the_own_sessions_are_listed_and_the_others_end_at_once(agent):
    agent.set_password("four unrelated words")
    agent.save()
    here, there = Client(), Client()
    for browser in (here, there):
        browser.post("/accounts/login/", {"login": agent.email, "password": "four unrelated words"})
    page = here.get("/accounts/sessions/")
    rows = page.content.decode().split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    assert sorted("This one" in row for row in rows) == [False, True]
    here.post("/accounts/sessions/")
    assert [browser.get("/inbox/").status_code for browser in (here, there)] == [200, 302]
