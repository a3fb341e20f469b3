"""The patient's phone: what one does on it reaches the product's doors, and what the product sends shows on it."""

import re
import smtplib
import socket
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller

from contact_center.simulator.__main__ import main
from contact_center.simulator.mail import read
from tests.simulator.fixtures import ACCOUNT_SID, wait_for

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
HERS, WA_HERS = "+13055550123", "whatsapp:+13055550123"
FETCH = {"X-Requested-With": "fetch"}


class Intake:
    """Stands where the product's SMTP intake stands."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, read(envelope.original_content)))
        return "250 OK"


@pytest.fixture
def intake():
    handler = Intake()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        handler.port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def phone(make_simulator, webhook_receiver, intake):
    """A simulator with both mail directions."""
    return make_simulator(webhook_receiver.url, smtp_port=0, smtp_intake_port=intake.port)


def page(server, path="/", **query):
    response = server.call("GET", path, params=query, auth=None)
    assert response.status_code == 200
    return response


def send(server, **form):
    files = form.pop("files", None)
    return server.call("POST", "/_phone/send", data={"phone": HERS} | form, files=files, headers=FETCH, auth=None)


def deliver(server, **headers):
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Your documents are ready.\nRosa")
    with smtplib.SMTP("127.0.0.1", server.simulator.mail_room.port) as smtp:
        smtp.send_message(mail)


def test_a_whatsapp_message_written_on_the_phone_reaches_the_webhook(phone, webhook_receiver):
    assert send(phone, tab="whatsapp", name="Lucía", body="hola").json() == {"error": ""}
    hook = wait_for(lambda: webhook_receiver.received)[0]
    wanted = ("From", "To", "Body", "ProfileName", "MessageType")
    assert [hook.params[name] for name in wanted] == [WA_HERS, "whatsapp:+15005550199", "hola", "Lucía", "text"]


def test_an_sms_with_a_picture_carries_an_address_to_fetch_it_from(phone, webhook_receiver):
    files = {"file": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
    send(phone, tab="sms", body="look", files=files)
    hook = wait_for(lambda: webhook_receiver.received)[0]
    assert (hook.params["From"], hook.params["NumMedia"], hook.params["MediaContentType0"]) == (HERS, "1", "image/png")
    content = phone.call("GET", hook.params["MediaUrl0"].removeprefix(phone.url))
    assert content.content == b"\x89PNG\r\n\x1a\n"


def test_a_location_and_a_tapped_button_reach_the_webhook_in_their_own_shape(phone, webhook_receiver):
    send(phone, tab="whatsapp", type="location", latitude="25.7", longitude="-80.2", label="Home")
    wait_for(lambda: webhook_receiver.received)
    contents = phone.call("GET", "/v1/Content").json()["contents"]
    reminder = next(item["sid"] for item in contents if item["friendly_name"] == "appointment_reminder_en")
    given = {"To": WA_HERS, "From": "whatsapp:+15005550199", "ContentSid": reminder}
    sid = phone.call("POST", MESSAGES, data=given).json()["sid"]
    send(phone, tab="whatsapp", type="button", in_reply_to=sid, tap="1")
    place, tapped = (
        hook.params for hook in wait_for(lambda: len(webhook_receiver.received) == 2 and webhook_receiver.received)
    )
    assert [place[name] for name in ("MessageType", "Latitude", "Longitude", "Label")] == [
        "location",
        "25.7",
        "-80.2",
        "Home",
    ]
    assert [tapped[name] for name in ("ButtonText", "ButtonPayload", "OriginalRepliedMessageSid")] == [
        "Change it",
        "change",
        sid,
    ]


def test_the_links_of_a_message_and_the_buttons_of_a_template_are_followed_on_the_phone(phone, webhook_receiver):
    actions = [
        {"type": "URL", "title": "Your visit", "url": "https://clinic.example/v/{{1}}"},
        {"type": "PHONE_NUMBER", "title": "Call us", "phone": "+15005550100"},
        {"type": "URL", "title": "Odd", "url": "{{2}}"},
    ]
    shape = {"twilio/call-to-action": {"body": "See you on {{2}}", "actions": actions}}
    given = {"friendly_name": "visit", "language": "en", "types": shape, "variables": {"1": "sample", "2": "Friday"}}
    sid = phone.call("POST", "/v1/Content", json=given).json()["sid"]
    send(phone, tab="whatsapp", body="hola")
    to_her = {"To": WA_HERS, "From": "whatsapp:+15005550199"}
    filled = to_her | {"ContentSid": sid, "ContentVariables": '{"1": "a.b-c", "2": "javascript:x"}'}
    message = phone.call("POST", MESSAGES, data=filled).json()["sid"]
    words = {"Body": 'Choose here: https://clinic.example/m/x?a=1&b="2". <b>Or write</b>'}
    phone.call("POST", MESSAGES, data=to_her | words)
    links = re.findall(r'<a (class="tap" )?href="([^"]+)" target', page(phone, phone=HERS, tab="whatsapp").text)
    assert [(bool(is_button), url) for is_button, url in links] == [
        (True, "https://clinic.example/v/a.b-c"),
        (True, "tel:+15005550100"),
        (False, "https://clinic.example/m/x?a=1&amp;b="),
    ]
    assert send(phone, tab="whatsapp", in_reply_to=message, tap="0").status_code == 422  # a link answers nothing


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"phone": "", "tab": "sms", "body": "x"}, "Choose a person"),
        ({"phone": "12", "tab": "sms", "body": "x"}, "Choose a person"),
        ({"tab": "sms", "body": ""}, "Write something first."),
        ({"phone": "US.123456", "tab": "sms", "body": "x"}, "This person has no phone number"),
    ],
)
def test_what_cannot_be_sent_is_said_in_words(phone, webhook_receiver, form, words):
    answer = send(phone, **form)
    assert (answer.status_code, answer.json()["error"][: len(words)]) == (422, words)
    assert webhook_receiver.received == []


def test_ticks_go_from_clock_to_read_as_the_product_takes_and_answers(phone, webhook_receiver):
    def ticks():
        return re.findall(r'data-state="(\w+)"', page(phone, "/_phone/thread", phone=HERS, tab="whatsapp").text)

    webhook_receiver.pause = 0.3
    send(phone, tab="whatsapp", body="hola")
    assert ticks() == ["waiting"]
    wait_for(lambda: ticks() == ["delivered"])
    phone.call("POST", MESSAGES, data={"To": WA_HERS, "From": "whatsapp:+15005550199", "Body": "Buenos días"})
    wait_for(lambda: ticks() == ["read", "read"])
    webhook_receiver.status = 500
    send(phone, tab="whatsapp", body="sigue ahí?")
    wait_for(lambda: ticks() == ["read", "read", "sent"])


def test_a_failed_answer_shows_its_reason(phone):
    phone.set_faults({"match": {"endpoint": "delivery"}, "effect": {"type": "fail", "code": 30005}})
    phone.call("POST", MESSAGES, data={"To": HERS, "From": "+15005550100", "Body": "x"})
    phone.settle()
    assert "Not delivered: Unknown destination handset (30005)" in page(phone, phone=HERS, tab="sms").text


def test_an_unchanged_thread_is_not_sent_again(phone):
    first = page(phone, "/_phone/thread", phone=HERS, tab="sms")
    again = phone.call(
        "GET", "/_phone/thread", params={"phone": HERS, "tab": "sms"}, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304


def test_what_people_write_is_never_markup(phone):
    send(phone, tab="sms", body="<script>alert(1)</script>", name="<b>x</b>")
    text = page(phone, phone=HERS, tab="sms", name="<b>x</b>", q='"><script>').text
    assert "<script>alert" not in text
    assert "<b>x</b>" not in text
    assert '"><script>' not in text


@pytest.mark.parametrize("tab", ["whatsapp", "sms", "email", "forms"])
def test_no_page_has_a_script_or_style_of_its_own(phone, tab):
    response = page(phone, phone=HERS, tab=tab)
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", response.text) == []


def test_an_attachment_a_browser_might_run_is_a_download(phone):
    send(phone, tab="whatsapp", files={"file": ("x.html", b"<script>1</script>", "text/html")})
    send(phone, tab="whatsapp", files={"file": ("x.svg", b"<svg/>", "image/svg+xml")})
    urls = re.findall(r'(?:href|src)="(/_phone/media/\w+)"', page(phone, phone=HERS, tab="whatsapp").text)
    kinds = {
        (r.headers["Content-Type"], r.headers["Content-Disposition"]) for r in (phone.call("GET", u) for u in urls)
    }
    assert kinds == {("application/octet-stream", "attachment")}


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "127.0.0.1.evil.example"}]
)
def test_a_foreign_page_can_do_nothing_here(phone, webhook_receiver, headers):
    for path in ("/_phone/send", "/_inbound", "/_reset", "/_phone/trouble"):
        answer = phone.call("POST", path, data={"phone": HERS, "tab": "sms", "body": "x"}, headers=headers)
        assert answer.status_code == 403
    assert webhook_receiver.received == []


def test_a_mail_of_the_clinic_is_shown_and_its_answer_stays_in_the_thread(phone, intake):
    deliver(
        phone,
        From="Aurora Health <care@aurora.example>",
        Reply_To="care+token@aurora.example",
        To="Lucia@mail.example",
        Subject="Documents",
        Message_ID="<one@aurora.example>",
    )
    text = page(phone, email="lucia@mail.example", tab="email").text
    number = re.search(
        r'name="replied_to" value="(\d+)"',
        page(phone, email="lucia@mail.example", tab="email", open="<one@aurora.example>").text,
    )
    assert "Documents" in text
    form = {
        "email": "lucia@mail.example",
        "name": "Lucía Pérez",
        "tab": "email",
        "subject": "Re: Documents",
        "body": "Gracias",
        "replied_to": number[1],
    }
    answer = phone.call("POST", "/_phone/mail", data=form, headers=FETCH, auth=None)
    assert answer.json() == {"error": ""}
    sender, recipients, mail = intake.mails[0]
    assert (sender, recipients) == ("lucia@mail.example", ["care+token@aurora.example"])
    assert [str(mail[name]) for name in ("From", "Subject", "In-Reply-To", "References")] == [
        "Lucía Pérez <lucia@mail.example>",
        "Re: Documents",
        "<one@aurora.example>",
        "<one@aurora.example>",
    ]
    assert mail.get_content().strip() == "Gracias"
    assert page(phone, email="lucia@mail.example", tab="email").text.count('class="mail"') == 1


def test_a_new_mail_with_a_file_goes_to_the_clinics_mailbox(phone, intake):
    form = {"email": "lucia@mail.example", "tab": "email", "subject": "Hola", "body": "Adjunto"}
    files = {"file": ("informe.pdf", b"%PDF-1.4", "application/pdf")}
    phone.call("POST", "/_phone/mail", data=form, files=files, headers=FETCH, auth=None)
    _sender, recipients, mail = intake.mails[0]
    (attachment,) = mail.iter_attachments()
    assert recipients == ["care@aurora.example"]
    assert (attachment.get_filename(), attachment.get_content()) == ("informe.pdf", b"%PDF-1.4")


def test_a_mail_server_that_is_down_is_said_in_words(make_simulator, webhook_receiver):
    server = make_simulator(webhook_receiver.url, smtp_intake_port=9)
    form = {"email": "lucia@mail.example", "tab": "email", "subject": "x", "body": "y"}
    answer = server.call("POST", "/_phone/mail", data=form, headers=FETCH, auth=None)
    assert (answer.status_code, answer.json()["error"]) == (422, "The clinic's mail server does not answer.")


def test_a_header_cannot_be_smuggled_into_a_mail(phone, intake):
    form = {"email": "lucia@mail.example", "tab": "email", "subject": "x\r\nBcc: all@evil.example", "body": "y"}
    phone.call("POST", "/_phone/mail", data=form, headers=FETCH, auth=None)
    assert [str(mail["Subject"]) for _, _, mail in intake.mails] == ["x Bcc: all@evil.example"]


def test_without_scripts_a_form_leads_back_to_the_page(phone):
    answer = phone.call("POST", "/_phone/send", data={"phone": HERS, "tab": "sms", "body": "hi"}, auth=None)
    assert [response.status_code for response in answer.history] == [303]
    assert "hi" in answer.text


def test_prepared_trouble_is_put_in_force_and_taken_back(phone):
    phone.call("POST", "/_phone/trouble", data={"trouble": "off"}, headers=FETCH, auth=None)
    assert phone.faults()["rules"][0]["effect"] == {"type": "fail", "code": 30003}
    phone.call("POST", "/_phone/trouble", data={"trouble": "none"}, headers=FETCH, auth=None)
    assert phone.faults()["rules"] == []


@pytest.mark.django_db(transaction=True)
def test_the_clinics_patients_can_be_found_by_name_and_number(phone):
    from tests.factories.patients import ContactPointFactory, PatientFactory

    patient = PatientFactory(given_name="Beatriz", family_name="de Souza", language="pt")
    ContactPointFactory(patient=patient, scheme="phone", value="+13055551002")
    ContactPointFactory(patient=patient, scheme="email", value="bia@mail.example")
    for query in ("beatriz", "souza bea", "5551002"):
        found = page(phone, "/_phone/people", q=query).text
        assert re.findall(r"<b>(.*?)</b><span class=\"num\">(.*?)</span>", found) == [
            ("Beatriz de Souza", "+13055551002")
        ]
    chosen = page(phone, phone="+1 305 555-1002", tab="email").text
    assert 'value="bia@mail.example"' in chosen
    assert "Nobody by that name" in page(phone, "/_phone/people", q="zzz").text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SIMULATOR": False, "DEBUG": True}, "The simulator is off. Set SIMULATOR=1"),
        ({"SIMULATOR": True, "DEBUG": False}, "The simulator is refused while DEBUG=0"),
        ({"SIMULATOR": True, "DEBUG": True, "TWILIO_AUTH_TOKEN": ""}, "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
    ],
)
def test_the_command_refuses_to_run_where_it_must_not(settings, change, words):
    for name, value in change.items():
        setattr(settings, name, value)
    with pytest.raises(SystemExit) as caught:
        main(["--port", "0"])
    assert str(caught.value).startswith(words)
