# ruff: noqa: E501 - samples of mail stay on one line
"""New words, earlier mails, signatures: in the languages of our patients and their mail programs."""

import time

import pytest

from inbox.mail.html_quotes import quoted_html_to_text
from inbox.mail.parse import parse_mail
from inbox.mail.quotes import fold
from tests.inbox.mail.mails import html_mail

ATTRIBUTIONS = [
    "On Mon, Mar 3, 2025 at 10:00 AM Care <care@aurora.example> wrote:",
    "On 03/03/2025 10:00, Care wrote:",
    "On Mar 3, 2025, at 10:00 AM, Care\n<care@aurora.example>\nwrote:",
    "El lun, 3 mar 2025 a las 10:00, Care (<care@aurora.example>) escribió:",
    "El 3/3/2025 a las 10:00, Care escribió:",
    "Em seg., 3 de mar. de 2025 às 10:00, Care <care@aurora.example> escreveu:",
    "Em 03/03/2025 10:00, Care escreveu:",
    "Le lun. 3 mars 2025 à 10:00, Care <care@aurora.example> a écrit :",
    "Am Mo., 3. März 2025 um 10:00 Uhr schrieb Care <care@aurora.example>:",
    "Am 03.03.2025 um 10:00 schrieb Care:",
    "Il giorno lun 3 mar 2025 alle ore 10:00 Care <care@aurora.example> ha scritto:",
    "Op ma 3 mrt 2025 om 10:00 schreef Care <care@aurora.example>:",
    "W dniu 3 marca 2025 10:00 użytkownik Care <care@aurora.example>\nnapisał:",
    "Den mån 3 mars 2025 kl 10:00 skrev Care <care@aurora.example>:",
    "Den 3. mar. 2025 kl. 10.00 skrev Care <care@aurora.example>:",
    "пн, 3 мар. 2025 г. в 10:00, Care <care@aurora.example> написал:",
    "Vào 10:00 3 tháng 3, 2025, Care <care@aurora.example> đã viết:",
    "2025-03-03 10:00 GMT+01:00 Care <care@aurora.example>:",
    "3 mars 2025 kl. 10:00 skrev Care <care@aurora.example>:",
]
HEADER_BLOCKS = [
    "From: Care <care@aurora.example>\nSent: Monday, March 3, 2025 10:00\nTo: Ana\nSubject: Visit",
    "De: Care <care@aurora.example>\nEnviado: lunes, 3 de marzo de 2025 10:00\nPara: Ana\nAsunto: Visita",
    "De: Care <care@aurora.example>\nEnviada em: segunda-feira, 3 de março de 2025 10:00\nPara: Ana\nAssunto: Consulta",
    "De : Care <care@aurora.example>\nEnvoyé : lundi 3 mars 2025 10:00\nÀ : Ana\nObjet : Visite",
    "Von: Care <care@aurora.example>\nGesendet: Montag, 3. März 2025 10:00\nAn: Ana\nBetreff: Termin",
    "Da: Care <care@aurora.example>\nInviato: lunedì 3 marzo 2025 10:00\nA: Ana\nOggetto: Visita",
    "Fra: Care <care@aurora.example>\nSendt: 3. mars 2025 10:00\nTil: Ana\nEmne: Time",
    "От: Care <care@aurora.example>\nОтправлено: 3 марта 2025 г. 10:00\nКому: Ana\nТема: Визит",
    "*From:* Care <care@aurora.example>\n*Date:* Monday, March 3, 2025\n*To:* Ana\n*Subject:* Visit",
    "________________________________\nFrom: Care <care@aurora.example>\nSent: Monday, March 3, 2025\nTo: Ana\nSubject: Visit",
    "Date: Wed, 16 May 2012 00:15:02 -0600\nTo: ana@patient.example",
    "---- Care Team wrote ----",
    "-----Original Message-----\nFrom: Care",
    "-----Mensaje original-----\nDe: Care",
    "-----Mensagem original-----\nDe: Care",
    "-----Ursprüngliche Nachricht-----\nVon: Care",
    "-----Message d'origine-----\nDe : Care",
    "-------- Messaggio originale --------\nDa: Care",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
@pytest.mark.parametrize("quoted", ["\n> Your visit is on Monday.\n> Care", "\n\n> Your visit.\n>\n> Care\n"])
def test_a_quotation_under_its_line_is_folded(attribution, quoted):
    found = fold(f"I will come.\n\n{attribution}{quoted}")
    assert found.new_text == "I will come."
    assert found.quoted.startswith(attribution.split("\n")[0])


@pytest.mark.parametrize("attribution", ATTRIBUTIONS[:18])
def test_a_quotation_without_marks_is_folded_as_well(attribution):
    found = fold(f"I will come.\n\n{attribution}\n\nYour visit is on Monday.\nCare")
    assert found.new_text == "I will come."
    assert found.quoted.endswith("Care")


@pytest.mark.parametrize("block", HEADER_BLOCKS)
def test_an_earlier_mail_under_its_headers_is_folded(block):
    found = fold(f"I will come.\n\n{block}\n\nYour visit is on Monday.\n")
    assert (found.new_text, found.quoted) == ("I will come.", f"{block}\n\nYour visit is on Monday.")


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote to you about my 3 tablets.",
        "El lunes escribió mi hija que tiene 3 dolores.",
        "From: Miami\nI travel to you.",
        "De: Madrid\nPara: Sevilla",
        "My symptoms:\n- fever 39\n- cough\n- To: nobody",
        "I take 5 mg > 3 times a day.",
        "Date: 3 May\nTime: 10:00\nIs that possible?",
        "On your phone you can:\n\n 1. call us\n 2. write us",
        "---------- Forwarded message ---------\nFrom: Lab <lab@x.example>\nDate: Mon, 3 Mar 2025\nSubject: Result\nTo: Ana\n\nGlucose 99",
        "Sent from my desk, is much easier than my phone.",
        "--> first\n--> second",
        "Look here\n>>> >>> https://aurora.example <<<\nand tell me",
        "Invitation:\n\nDate: Wednesday 3, October\nTime: 7:00am\nAddress: 130 Fox St\n\nPlease bring your card.",
    ],
)
def test_an_ordinary_letter_is_left_alone(text):
    assert fold(text).new_text == text


def test_answers_between_the_lines_keep_what_they_answer():
    text = (
        "See below.\n\nOn 3 Mar 2025 Care wrote:\n> Do you smoke?\n\nNo.\n\n> Any allergies?\n\nPenicillin.\n\n> Thanks"
    )
    found = fold(text)
    assert found.new_text == (
        "See below.\n\nOn 3 Mar 2025 Care wrote:\n> Do you smoke?\n\nNo.\n\n> Any allergies?\n\nPenicillin."
    )
    assert found.quoted == "> Thanks"


def test_an_answer_below_the_quotation_is_the_new_text():
    assert fold("On 3 Mar 2025 Care wrote:\n> Shall we call?\nYes please").new_text == "Yes please"


def test_a_mail_of_only_quotation_counts_as_new():
    assert fold("> only\n> this").new_text == "> only\n> this"


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAna Ruiz\n+1 305 555 0100",
        "--\nAna",
        "Sent from my iPhone",
        "Enviado desde mi iPhone",
        "Enviado do meu iPhone",
        "Envoyé de mon iPhone",
        "Von meinem iPhone gesendet",
        "Inviato da iPhone",
        "Get Outlook for Android",
        "Obtener Outlook para iOS",
        "Sent from Yahoo Mail on Android",
        "CONFIDENTIALITY NOTICE: This message is for the addressee only.\nDelete it otherwise.",
        "Este mensaje y sus adjuntos son confidenciales.",
    ],
)
def test_signatures_and_notices_are_folded(signature):
    found = fold(f"I will come.\nAna\n\n{signature}")
    assert (found.new_text, found.signature) == ("I will come.\nAna", signature.replace("-- ", "--"))


def test_a_greeting_with_the_name_stays():
    assert fold("I will come.\n\nSaludos,\nAna Ruiz").new_text == "I will come.\n\nSaludos,\nAna Ruiz"


def test_nothing_is_lost():
    text = "New.\n\nOn 3 Mar 2025 Care wrote:\n> Old\n\n-- \nAna"
    found = fold(text)
    parts = "\n".join((found.new_text, found.quoted, found.signature))
    assert sorted(parts.split()) == sorted(text.split())


@pytest.mark.parametrize(
    "html",
    [
        '<div>I will come.</div><div class="gmail_quote"><div class="gmail_attr">On Mon wrote</div><blockquote>Old</blockquote></div>',
        '<p>I will come.</p><blockquote type="cite">Old</blockquote>',
        '<div>I will come.</div><hr id="stopSpelling"><div id="divRplyFwdMsg">From: Care</div><div>Old</div>',
        '<div>I will come.</div><div id="appendonsend"></div><div>Old</div>',
        '<div>I will come.</div><div class="yahoo_quoted">Old</div>',
        '<div>I will come.</div><div class="protonmail_quote">Old</div>',
        "<p>I will come.</p><div style='border-top:solid #E1E1E1 1.0pt'><p><b>From:</b> Care &lt;care@aurora.example&gt;<br>"
        "<b>Sent:</b> Monday, March 3, 2025<br><b>To:</b> Ana<br><b>Subject:</b> Visit</p></div><p>Old</p>",
    ],
)
def test_quotations_of_html_mail_programs_are_folded(html):
    found = parse_mail(html_mail(html))
    assert found.new_text == "I will come."
    assert "Old" in found.text


def test_a_forwarded_html_mail_is_kept():
    html = '<p>Please look.</p><div class="gmail_quote">---------- Forwarded message ---------<br>Glucose 99</div>'
    assert fold(quoted_html_to_text(html)).new_text.split() == [
        "Please",
        "look.",
        "----------",
        "Forwarded",
        "message",
        "---------",
        "Glucose",
        "99",
    ]


@pytest.mark.parametrize(
    "text",
    [
        ">" * 1_000_000,
        "> " * 500_000,
        "\n" * 1_000_000,
        "On 1 " * 200_000,
        "On 1\n" * 200_000,
        "From: a@b.example\n" * 50_000,
        "- " * 500_000,
        "a:" * 400_000,
        "_" * 1_000_000,
        "El 3 escribió\n" * 70_000,
        "Sent from " * 100_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_hostile_text_is_folded_in_linear_time(text):
    started = time.process_time()
    fold(text)
    assert time.process_time() - started < 3
