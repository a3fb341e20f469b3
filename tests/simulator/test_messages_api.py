"""The simulator answers as Twilio does: records, lists, pages and refusals."""

import time

import pytest

from tests.simulator.fixtures import ACCOUNT_SID

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
OURS, HERS = "+15005550100", "+13055550123"
TEXT = {"To": HERS, "From": OURS, "Body": "Hello"}


def refusal(response):
    found = response.json()
    assert found["more_info"] == f"https://www.twilio.com/docs/errors/{found['code']}"
    assert found["status"] == response.status_code
    return response.status_code, found["code"]


def test_an_accepted_message_is_queued_and_can_be_fetched(simulator_server):
    created = simulator_server.call("POST", MESSAGES, data=TEXT)
    assert created.status_code == 201
    shown = {name: created.json()[name] for name in ("status", "direction", "to", "from", "body", "num_segments")}
    assert shown == {
        "status": "queued",
        "direction": "outbound-api",
        "to": HERS,
        "from": OURS,
        "body": "Hello",
        "num_segments": "1",
    }
    fetched = simulator_server.call("GET", created.json()["uri"])
    assert fetched.json()["sid"] == created.json()["sid"]


@pytest.mark.parametrize("auth", [None, (ACCOUNT_SID, "wrong"), ("AC" + "1" * 32, "demo-auth-token-not-a-secret")])
def test_wrong_credentials_are_refused_with_20003_and_nothing_is_accepted(simulator_server, auth):
    answer = simulator_server.call("POST", MESSAGES, data=TEXT, auth=auth)
    assert refusal(answer) == (401, 20003)
    assert simulator_server.state()["accepted"] == 0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"To": "5551234"}, (400, 21211)),
        ({"To": ""}, (400, 21604)),
        ({"From": ""}, (400, 21603)),
        ({"From": "+0"}, (400, 21212)),
        ({"Body": ""}, (400, 21619)),
        ({"Body": "x" * 1601}, (400, 21617)),
        ({"To": f"whatsapp:{HERS}"}, (400, 21910)),
        ({"To": "+15005550009"}, (400, 21614)),
        ({"To": "+15005550003"}, (403, 21408)),
        ({"ContentSid": "HX" + "0" * 32}, (400, 21655)),
        ({"Subject": "Hi"}, (400, 20001)),
        ({"StatusCallback": "mailto:x"}, (400, 21609)),
        ({"MediaUrl": ["http://x/"] * 11}, (400, 21623)),
        ({"MessagingServiceSid": "MG1"}, (400, 21705)),
    ],
)
def test_a_bad_request_is_refused_with_its_own_code(simulator_server, change, expected):
    assert refusal(simulator_server.call("POST", MESSAGES, data=TEXT | change)) == expected
    assert simulator_server.state()["accepted"] == 0


def test_a_text_of_exactly_1600_characters_is_accepted_in_eleven_segments(simulator_server):
    created = simulator_server.call("POST", MESSAGES, data=TEXT | {"Body": "x" * 1600})
    assert (created.status_code, created.json()["num_segments"]) == (201, "11")


def test_another_accounts_messages_are_not_found(simulator_server):
    other = MESSAGES.replace(ACCOUNT_SID, "AC" + "1" * 32)
    assert refusal(simulator_server.call("GET", other)) == (404, 20404)


def test_after_stop_sending_is_refused_until_start(simulator_server):
    simulator_server.inject_inbound(from_=HERS, to=OURS, body=" stop ")
    assert refusal(simulator_server.call("POST", MESSAGES, data=TEXT)) == (400, 21610)
    assert simulator_server.call("POST", MESSAGES, data=TEXT | {"From": "+15005550177"}).status_code == 201
    simulator_server.inject_inbound(from_=HERS, to=OURS, body="START")
    assert simulator_server.call("POST", MESSAGES, data=TEXT).status_code == 201


def test_a_sentence_with_the_word_stop_opts_nobody_out(simulator_server):
    simulator_server.inject_inbound(from_=HERS, to=OURS, body="please stop by tomorrow")
    assert simulator_server.call("POST", MESSAGES, data=TEXT).status_code == 201


def test_the_list_is_newest_first_and_filtered_by_recipient_sender_and_day(simulator_server):
    for body, recipient in (("one", HERS), ("two", "+13055550199"), ("three", HERS)):
        simulator_server.call("POST", MESSAGES, data=TEXT | {"Body": body, "To": recipient})
    simulator_server.settle()
    bodies = lambda **query: [  # noqa: E731
        row["body"] for row in simulator_server.call("GET", MESSAGES, params=query).json()["messages"]
    ]
    assert bodies() == ["three", "two", "one"]
    assert bodies(To=HERS) == ["three", "one"]
    assert bodies(From="+13055550123") == []
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert bodies(DateSent=today, To=HERS) == ["three", "one"]
    assert bodies(**{"DateSent>": "2100-01-01"}) == []
    assert bodies(**{"DateSent<": "2020-01-01T00:00:00Z"}) == []


def test_pages_miss_and_repeat_nothing_while_new_messages_arrive(simulator_server):
    for number in range(7):
        simulator_server.call("POST", MESSAGES, data=TEXT | {"Body": str(number)})
    uri, seen = f"{MESSAGES}?PageSize=3", []
    while uri:
        page = simulator_server.call("GET", uri).json()
        seen += [row["body"] for row in page["messages"]]
        uri = page["next_page_uri"]
        simulator_server.call("POST", MESSAGES, data=TEXT | {"Body": "late"})
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_an_unknown_filter_is_refused_so_that_drift_shows(simulator_server):
    assert refusal(simulator_server.call("GET", MESSAGES, params={"Status": "sent"})) == (400, 20001)


def test_an_attachment_is_listed_and_served_only_with_credentials(simulator_server):
    given = {"content_type": "image/png", "content_base64": "iVBORw0KGgo="}
    sent = simulator_server.inject_inbound(from_=HERS, to=OURS, media=[given])
    sid = sent["messages"][0]["sid"]
    listed = simulator_server.call("GET", MESSAGES.replace(".json", f"/{sid}/Media.json")).json()["media_list"]
    assert [(item["content_type"], item["parent_sid"]) for item in listed] == [("image/png", sid)]
    path = listed[0]["uri"].removesuffix(".json")
    content = simulator_server.call("GET", path)
    assert (content.headers["Content-Type"], content.content) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert refusal(simulator_server.call("GET", path, auth=None)) == (401, 20003)


def test_a_template_is_rendered_with_its_variables(simulator_server):
    contents = simulator_server.call("GET", "/v1/Content").json()["contents"]
    reminder = next(item for item in contents if item["friendly_name"] == "appointment_reminder_es")
    variables = '{"1": "Lucía", "2": "Brickell", "3": "jueves", "4": "9:40"}'
    given = {"To": f"whatsapp:{HERS}", "From": "whatsapp:+15005550199", "ContentSid": reminder["sid"]}
    created = simulator_server.call("POST", MESSAGES, data=given | {"ContentVariables": variables})
    assert created.json()["body"] == "Hola, Lucía. Tiene una cita en Brickell el jueves a las 9:40. ¿Podrá venir?"
    broken = simulator_server.call("POST", MESSAGES, data=given | {"ContentVariables": "{1"})
    assert refusal(broken) == (400, 21656)


def test_a_new_template_waits_for_approval(simulator_server):
    given = {"friendly_name": "greeting", "language": "en", "types": {"twilio/text": {"body": "Hi {{1}}"}}}
    created = simulator_server.call("POST", "/v1/Content", json=given)
    assert created.status_code == 201
    sid = created.json()["sid"]
    assert simulator_server.call("GET", f"/v1/Content/{sid}").json()["types"] == given["types"]
    approval = simulator_server.call("GET", f"/v1/Content/{sid}/ApprovalRequests").json()
    assert approval["whatsapp"]["status"] == "unsubmitted"


def test_the_list_with_approvals_names_the_approved_templates(simulator_server):
    found = simulator_server.call("GET", "/v1/ContentAndApprovals").json()["contents"]
    statuses = {item["friendly_name"]: item["approval_requests"]["status"] for item in found}
    assert statuses["appointment_reminder_en"] == "approved"
    assert statuses["please_call_us_en"] == "pending"


def test_an_address_twilio_does_not_have_is_a_twilio_404(simulator_server):
    assert refusal(simulator_server.call("GET", "/2010-04-01/Accounts/x/Faxes.json")) == (404, 20404)
