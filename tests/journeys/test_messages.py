"""SMS, WhatsApp, mail and forms from the patient's hand to the agent's answer and back."""

import requests

from inbox.models import Attachment, Message
from tests.journeys.people import Page
from tests.simulator.fixtures import wait_for

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c626001000000ffff03000006000557bfabd40000000049454e44ae426082"
)
SCRIPT = b"<script>alert(1)</script>"


def words_of(row, **which):
    return list(row.messages.filter(**which).order_by("id").values_list("text", flat=True))


def test_a_text_with_a_picture_reaches_the_desk_and_the_answer_reaches_the_phone(hire, somebody, interaction_of):
    agent, patient = hire(), somebody()
    patient.write("Is this rash dangerous?", "sms", file=("rash.png", PICTURE, "image/png"))
    row = interaction_of(patient.number)
    file = wait_for(lambda: Attachment.objects.filter(message__interaction=row, status="clean").first())
    assert requests.get(file.source_url, timeout=10).status_code == 401
    download = agent.get(agent.get(f"/inbox/{row.pk}/").tree.xpath("//a[@class='picture']/@href")[0]).response
    headers = {name: download.headers[name] for name in ("Content-Type", "X-Content-Type-Options")}
    assert download.content == PICTURE
    assert headers == {"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff"}
    assert download.headers["Content-Disposition"] == f'attachment; filename="{file.name}"'
    assert agent.reply(row.pk, "No. Please come at ten.", "sms").status == 200
    patient.until_shows(
        ("mine", "Is this rash dangerous?", "read"), ("clinic", "No. Please come at ten.", "delivered"), tab="sms"
    )


def test_pictures_go_both_ways_and_the_phone_shows_the_agents(stack, hire, somebody, interaction_of):
    agent, patient = hire(), somebody()
    patient.write("My card", "whatsapp", file=("card.png", PICTURE, "image/png"))
    row = interaction_of(patient.number)
    token = agent.http.cookies["csrftoken"]
    page = agent.get(f"/inbox/{row.pk}/")
    sent = agent.http.post(
        f"{stack.web_url}/inbox/{row.pk}/compose/",
        data={"csrfmiddlewaretoken": token, "mode": "whatsapp", "text": "The map", "form_key": page.value("form_key")},
        files={"files": ("map.png", PICTURE, "image/png")},
        timeout=20,
    )
    assert sent.status_code == 200
    shown = "//div[contains(@class, 'say') and not(contains(@class, 'say--mine'))]//img/@src"
    address = wait_for(lambda: patient.page().tree.xpath(shown))[0]
    assert requests.get(stack.simulator.url + address, timeout=10).content == PICTURE
    wait_for(lambda: row.messages.filter(direction="outbound", status="read").exists())


def test_a_script_that_calls_itself_a_picture_is_told_and_never_kept(hire, somebody, interaction_of):
    agent, patient = hire(), somebody()
    patient.write("Look", "sms", file=("rash.png", SCRIPT, "image/png"))
    row = interaction_of(patient.number)
    file = wait_for(lambda: Attachment.objects.filter(message__interaction=row, status="refused").first())
    page = agent.get(f"/inbox/{row.pk}/")
    assert (file.file.name, page.tree.xpath("//a[@class='file']")) == ("", [])
    assert page.text("//*[@class='file']/span[last()]") == "This type of file is not accepted."
    assert agent.get(f"/inbox/attachments/{file.pk}/").status == 404


def test_a_mail_is_answered_by_mail_in_the_same_thread(stack, hire, somebody, interaction_of):
    agent, patient = hire(), somebody()
    patient.mail("My results", "When will they be ready?", file=("list.txt", b"one, two", "text/plain"))
    row = interaction_of(patient.email)
    first = row.messages.get().external_id.strip("<>")
    assert agent.reply(row.pk, "Tomorrow at noon.", "email").status == 200
    (answer,) = wait_for(lambda: stack.mails_to(patient.email))
    assert (answer["Subject"], answer.get_body(["plain"]).get_content().strip()) == (
        "Re: My results",
        "Tomorrow at noon.",
    )
    assert (answer["In-Reply-To"], answer["References"]) == (f"<{first}>", f"<{first}>")
    patient.mail("Re: My results", "Thank you!", answers=True)
    row = interaction_of(patient.email, messages=3)
    assert words_of(row) == ["When will they be ready?", "Tomorrow at noon.", "Thank you!"]
    assert list(Attachment.objects.filter(message__interaction=row).values_list("name", "status")) == [
        ("list.txt", "clean")
    ]


def send_form(stack, **answers):
    address = f"{stack.web_url}/forms/question/"
    token = Page(requests.get(address, timeout=10)).value("form_token")
    return Page(requests.post(address, data={"form_token": token} | answers, timeout=10))


def test_a_form_gives_a_receipt_and_its_answer_by_mail_continues_the_same_interaction(
    stack, clinic, hire, somebody, interaction_of
):
    agent, patient = hire(), somebody()
    receipt = send_form(stack, name="Lucía", email=patient.email, question="Do you treat children?")
    row = interaction_of(patient.email)
    assert receipt.text("//main//b") == row.reference
    assert receipt.texts("//main//p")[-1] == clinic.form.receipt_text
    (mail,) = wait_for(lambda: stack.mails_to(patient.email))
    assert mail["Subject"] == f"We have your message ({row.reference})"
    assert agent.reply(row.pk, "Yes, from birth on.", "email").status == 200
    wait_for(lambda: len(stack.mails_to(patient.email)) == 2)
    patient.mail("Re: ", "Then I will come.", answers=True)
    row = interaction_of(patient.email, messages=4)
    assert words_of(row, direction="inbound") == ["Do you treat children?", "Then I will come."]
    shown = agent.get(f"/inbox/{row.pk}/")
    assert shown.texts("//dl[@class='answers']/dd") == ["Lucía", patient.email, "Do you treat children?"]


def test_a_form_with_a_wrong_address_says_so_at_the_field_and_keeps_the_rest(stack):
    page = send_form(stack, name="Lucía", email="not an address", question="Do you treat children?")
    assert (page.status, page.of_class("field__error")) == (422, ["Enter a valid email address."])
    assert (page.value("name"), page.value("question")) == ("Lucía", "Do you treat children?")


def test_after_24_hours_whatsapp_takes_a_template_and_no_free_text(hire, clinic, late_row):
    agent = hire()
    refused = agent.reply(late_row.pk, "Yes, we are.", "whatsapp")
    assert (refused.status, refused.of_class("field__error")) == (
        422,
        ["The 24-hour WhatsApp window is closed. Send an approved template, or use another channel."],
    )
    assert refused.value("text") == "Yes, we are."
    address = f"/inbox/{late_row.pk}/templates/?template={clinic.template.pk}"
    assert agent.post(address, **{"variable-1": "Lucía"}).of_class("field__error") == ["This field is required."]
    agent.post(address, **{"variable-1": "Lucía", "variable-2": "Rosa"})
    late_row.patient_phone.until_shows(
        ("mine", "Are you there?", "read"),
        ("clinic", "Hello Lucía. We have an answer for you. Reply here and Rosa will write to you.", "read"),
    )


def test_after_stop_a_reply_is_held_back_with_the_reason_and_start_lets_the_next_one_through(
    hire, somebody, interaction_of
):
    agent, patient = hire(), somebody()
    patient.write("STOP", "sms")
    row = interaction_of(patient.number, messages=2)
    agent.reply(row.pk, "One more thing.", "sms")
    held = wait_for(lambda: Message.objects.filter(interaction=row, status="suppressed", author=agent.user).first())
    shown = agent.get("/outbox/?show=suppressed")
    assert shown.text(f"//tr[@id='outbox-{held.pk}']/td[3]") == "This address asked us to stop."
    patient.write("START", "sms")
    first = [("mine", "STOP", "read"), ("mine", "START", "read")]
    first += [("clinic", "You will get our messages again. To stop them, reply STOP.", "delivered")]
    patient.until_shows(*first, tab="sms")
    agent.reply(row.pk, "Welcome back.", "sms")
    patient.until_shows(*first, ("clinic", "Welcome back.", "delivered"), tab="sms")
    left = row.messages.filter(direction="outbound").order_by("id").values_list("status", flat=True)
    wait_for(lambda: "sent" not in left.all())  # the phone shows it before the report has reached us
    # The provider confirms STOP by itself and refuses our words: that is no failure.
    assert list(left.all()) == ["suppressed", "suppressed", "delivered", "delivered"]
