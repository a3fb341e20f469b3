"""Mails written for these tests."""

from email.message import EmailMessage


def mail(
    body="Hello", *, subject="A question", sender="Ana Ruiz <ana@patient.example>", to="care@aurora.test", **headers
):
    """Source of a plain mail; underscores in header names become hyphens, None leaves a header out."""
    lines = {"From": sender, "To": to, "Subject": subject, "Message-ID": "<q1@patient.example>"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return head.encode("utf-8", "surrogateescape") + b"\r\n" + (body if isinstance(body, bytes) else body.encode())


def html_mail(html, charset="utf-8"):
    """Source of a mail that has only HTML."""
    message = EmailMessage()
    message["From"], message["To"] = "ana@patient.example", "care@aurora.test"
    message["Subject"], message["Message-ID"] = "HTML", "<h1@patient.example>"
    message.set_content(html, subtype="html", charset=charset)
    return message.as_bytes()


def report(
    fields,
    *,
    text="Your message could not be delivered.",
    original_id="m-1@aurora.test",
    sender="MAILER-DAEMON@mx.example",
):
    """Source of an RFC 3464 report about one mail of ours."""
    return (
        f"Return-Path: <>\r\nFrom: {sender}\r\nTo: care@aurora.test\r\nSubject: Undelivered Mail\r\n"
        "Message-ID: <b1@mx.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n{fields}\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{original_id}>\r\nTo: ana@patient.example\r\n"
        "From: care@aurora.test\r\nSubject: Your visit\r\n\r\nText\r\n--b--\r\n"
    ).encode()
