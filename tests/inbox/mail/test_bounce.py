# ruff: noqa: E501 - samples of mail stay on one line
"""Which mails say that ours did not arrive, for whom, why, and whether the address is dead."""

import pytest

from inbox.mail.bounce import bounce_of_response
from inbox.mail.bounce_reasons import BounceReason as R
from inbox.mail.bounce_reasons import classify
from inbox.mail.parse import parse_mail
from tests.inbox.mail.mails import mail, report


def fields(code="5.1.1", diagnostic="smtp; 550 5.1.1 User unknown", action="failed", recipient="Ana@Patient.example"):
    return f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {code}\r\nDiagnostic-Code: {diagnostic}\r\n"


def test_a_standard_report_names_recipient_mail_and_reason():
    found = parse_mail(report(fields()))
    (bounce,) = found.bounces
    assert found.is_bounce
    assert not found.is_auto_reply
    assert (bounce.recipient, bounce.original_message_id) == ("ana@patient.example", "m-1@aurora.test")
    assert (bounce.status, bounce.reply_code, bounce.reason) == ("5.1.1", "550", R.ADDRESS_UNKNOWN)
    assert (bounce.is_hard, bounce.is_delay, bounce.diagnostic) == (True, False, "550 5.1.1 User unknown")


def test_each_recipient_of_a_report_is_told_apart():
    raw = report(fields() + "\r\n" + fields("5.2.2", "smtp; 552 5.2.2 Mailbox full", recipient="filho@patient.example"))
    assert [(bounce.recipient, bounce.reason, bounce.is_hard) for bounce in parse_mail(raw).bounces] == [
        ("ana@patient.example", R.ADDRESS_UNKNOWN, True),
        ("filho@patient.example", R.MAILBOX_FULL, False),
    ]


def test_a_report_of_success_is_no_bounce():
    assert parse_mail(report(fields("2.0.0", "smtp; 250 OK", action="delivered"))).bounces == ()


def test_a_delay_is_no_failure_yet():
    (bounce,) = parse_mail(report(fields("4.4.1", "smtp; connection timed out", action="delayed"))).bounces
    assert (bounce.is_delay, bounce.is_hard, bounce.reason) == (True, False, R.EXPIRED)


def test_a_temporary_code_never_condemns_an_address():
    (bounce,) = parse_mail(report(fields("4.1.1", "smtp; 450 4.1.1 User unknown"))).bounces
    assert (bounce.reason, bounce.is_hard) == (R.ADDRESS_UNKNOWN, False)


def test_an_abuse_report_is_a_complaint():
    raw = (
        b"From: fbl@isp.example\r\nTo: care@aurora.test\r\nSubject: Abuse\r\nContent-Type: multipart/report; "
        b'report-type=feedback-report; boundary="b"\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n'
        b"Feedback-Type: abuse\r\nOriginal-Rcpt-To: <ana@patient.example>\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Message-ID: <m-1@aurora.test>\r\n\r\nx\r\n--b--"
    )
    (bounce,) = parse_mail(raw).bounces
    assert (bounce.reason, bounce.feedback_type, bounce.recipient) == (R.COMPLAINT, "abuse", "ana@patient.example")
    assert (bounce.is_hard, bounce.original_message_id) == (False, "m-1@aurora.test")


HOME_MADE = {
    "announcing": "This report relates to a message you sent with the following header fields:\n\n"
    "  Message-id: <m-1@aurora.test>\n  From: care@aurora.test\n  To: ana@patient.example\n\nYour message cannot be "
    "delivered to the following recipients:\n\n  Recipient address: ana@patient.example\n  Reason: unknown user\n\n"
    "--- Below this line is a copy of the message.\n\nMessage-ID: <m-1@aurora.test>\nTo: ana@patient.example\n\nText",
    "exim": "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
    "delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
    "  ana@patient.example\n    host mx.patient.example [192.0.2.1]\n    SMTP error from remote mail server after RCPT "
    "TO:<ana@patient.example>:\n    550 5.1.1 <ana@patient.example>: Recipient address rejected: User unknown\n\n"
    "------ This is a copy of the message, including all the headers. ------\n\nMessage-ID: <m-1@aurora.test>\n"
    "To: ana@patient.example\nFrom: care@aurora.test\n\nText",
    "qmail": "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the "
    "following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<ana@patient.example>:\n"
    "192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.1.\n\n"
    "--- Below this line is a copy of the message.\n\nReturn-Path: <care@aurora.test>\nMessage-ID: <m-1@aurora.test>\n"
    "To: ana@patient.example\n\nText",
    "portuguese": "Sua mensagem não pôde ser entregue ao destinatário:\n\n<ana@patient.example>: 550 5.1.1 usuário desconhecido"
    "\n\n----- Original message -----\n\nMessage-ID: <m-1@aurora.test>\nTo: ana@patient.example\n\nText",
    "plain": "Delivery to the following recipient failed permanently:\n\n     ana@patient.example\n\nTechnical details of "
    "permanent failure:\nThe email account that you tried to reach does not exist.\n\n----- Original message -----\n\n"
    "Message-ID: <m-1@aurora.test>\nTo: ana@patient.example\n\nText",
}


@pytest.mark.parametrize("kind", HOME_MADE)
def test_a_home_made_bounce_is_recognised(kind):
    raw = mail(
        HOME_MADE[kind],
        sender="Mail Delivery System <Mailer-Daemon@mx.example>",
        to="care@aurora.test",
        subject="Mail delivery failed: returning message to sender",
        Return_Path="<>",
    )
    found = parse_mail(raw)
    assert [(b.recipient, b.reason, b.is_hard, b.original_message_id) for b in found.bounces] == [
        ("ana@patient.example", R.ADDRESS_UNKNOWN, True, "m-1@aurora.test")
    ]


@pytest.mark.parametrize(
    "raw",
    [
        mail("I could not reach you by phone, the call failed. Can you deliver the report to me?"),
        mail("My mailbox was full, sorry. Now it works.", subject="Re: Undelivered Mail"),
        mail("Weekly digest", sender="postmaster@patient.example", subject="Weekly digest"),
        mail("I am away until Monday.", Auto_Submitted="auto-replied", Return_Path="<>", subject="Out of office"),
        mail("550 pesos is too much", subject="Price"),
    ],
)
def test_a_letter_from_a_person_is_no_bounce(raw):
    assert parse_mail(raw).bounces == ()


@pytest.mark.parametrize(
    ("answer", "reason", "is_hard"),
    [
        (
            "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table",
            R.ADDRESS_UNKNOWN,
            True,
        ),
        ("550 5.1.1 The email account that you tried to reach does not exist", R.ADDRESS_UNKNOWN, True),
        (
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            R.ADDRESS_UNKNOWN,
            True,
        ),
        ("550 No existe ese usuario", R.ADDRESS_UNKNOWN, True),
        ("550 utilisateur inconnu", R.ADDRESS_UNKNOWN, True),
        ("550 Unrouteable address", R.DOMAIN_UNKNOWN, True),
        (
            "Host or domain name not found. Name service error for name=b.example type=A: Host not found",
            R.DOMAIN_UNKNOWN,
            True,
        ),
        ("556 5.1.10 Domain does not accept mail (nullMX)", R.DOMAIN_REFUSES_MAIL, True),
        ("452 4.2.2 The email account that you tried to reach is over quota", R.MAILBOX_FULL, False),
        ("552 5.2.2 Buzón lleno", R.MAILBOX_FULL, False),
        ("550 5.2.1 The email account that you tried to reach is disabled", R.MAILBOX_DISABLED, False),
        ("552 5.3.4 Message size exceeds fixed limit", R.TOO_LARGE, False),
        ("550 5.7.26 This mail is unauthenticated (DMARC)", R.AUTHENTICATION_FAILED, False),
        (
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
            R.SERVER_BLOCKED,
            False,
        ),
        ("550 5.7.25 The IP address sending this message does not have a PTR record", R.REVERSE_DNS_MISSING, False),
        ("550 5.7.1 Message rejected as spam", R.SPAM, False),
        ("554 5.7.1 <a@b.example>: Relay access denied", R.RELAY_DENIED, False),
        ("421 4.7.0 Too many connections from your IP", R.RATE_LIMITED, False),
        ("554 5.6.1 Your message contained a virus", R.VIRUS, False),
        ("550 5.1.8 Sender address rejected: Domain not found", R.SENDER_REFUSED, False),
        ("4.4.7 Message expired", R.EXPIRED, False),
        ("554 5.4.6 Hop count exceeded - possible mail loop", R.NETWORK, False),
        ("", R.UNKNOWN, False),
    ],
)
def test_the_words_of_servers_are_understood(answer, reason, is_hard):
    found = bounce_of_response("a@b.example", answer)
    assert (found.reason, found.is_hard) == (reason, is_hard)


def test_a_filter_that_says_user_unknown_after_data_does_not_condemn_the_address():
    assert classify("550 User unknown (in reply to end of DATA command)", "5.0.0") is R.RECIPIENT_REFUSED


def test_codes_decide_where_words_are_missing():
    assert [classify("", f"5.{detail}") for detail in ("1.1", "1.2", "2.2", "3.4", "7.26")] == [
        R.ADDRESS_UNKNOWN,
        R.DOMAIN_UNKNOWN,
        R.MAILBOX_FULL,
        R.TOO_LARGE,
        R.AUTHENTICATION_FAILED,
    ]
