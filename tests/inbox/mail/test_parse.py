# ruff: noqa: E501 - samples of mail stay on one line
"""One mail in, one ParsedMail out, whatever the sender's program did."""

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.mail.limits import MailLimits, MailTooLarge
from inbox.mail.parse import clean_name, parse_mail
from tests.inbox.mail.mails import html_mail, mail


def test_people_subject_date_and_ids_are_read():
    raw = mail(
        "Bom dia",
        sender='"Souza, Inês" <Ines@Patient.example>',
        to="Care <care@aurora.test>, dr@aurora.test",
        Cc="filho@patient.example",
        Reply_To="outra@patient.example",
        Date="Tue, 4 Mar 2025 10:00:00 -0300",
        In_Reply_To="<a@aurora.test>",
        References="<root@aurora.test>\r\n <a@aurora.test>",
    )
    found = parse_mail(raw)
    assert (found.sender.address, found.sender.name, found.sender.key) == (
        "Ines@Patient.example",
        "Souza, Inês",
        "ines@patient.example",
    )
    assert [address.address for address in found.to] == ["care@aurora.test", "dr@aurora.test"]
    assert [address.address for address in found.cc] == ["filho@patient.example"]
    assert [address.address for address in found.reply_to] == ["outra@patient.example"]
    assert found.date == datetime(2025, 3, 4, 13, tzinfo=UTC)
    assert found.message_id == "q1@patient.example"
    assert found.in_reply_to == "a@aurora.test"
    assert found.references == ("root@aurora.test", "a@aurora.test")
    assert found.defects == ()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("=?iso-8859-1?Q?Cita_m=E9dica?=", "Cita médica"),
        ("=?utf-8?B?w6nDqQ==?=", "éé"),
        ("=?utf-8?B?w6k?= =?utf-8?B?w6k=?=", "éé"),
        ("=?utf-8?B?ww==?= =?utf-8?B?qQ==?=", "é"),
        ("=?utf-8?Q?a=C3?= =?utf-8?Q?=A9b?=", "aéb"),
        ("=?utf-8?Q?with space inside?=", "with space inside"),
        ("=?unknown-charset?Q?caf=C3=A9?=", "café"),
        ("=?gb2312?B?vqvS5g==?=", "精益"),
        ("=?iso-2022-jp?B?GyRCJWElayVeJSwbKEI=?=", "メルマガ"),
        ("=?utf-8?Q?broken", "=?utf-8?Q?broken"),
        ("Re: =?UTF-8?Q?d=C3=BA?=vida", "Re: dúvida"),
        ("raw \udcc3\udca9 bytes", "raw é bytes"),
        ("tab\tand \x00nul", "tab and nul"),
    ],
)
def test_a_subject_is_read_however_it_was_encoded(header, expected):
    assert parse_mail(mail(subject=header)).subject == expected


@pytest.mark.parametrize(
    ("value", "address", "name"),
    [
        ("ana@p.example", "ana@p.example", ""),
        ("ana@p.example (Ana Ruiz)", "ana@p.example", "Ana Ruiz"),
        ("=?utf-8?Q?In=C3=AAs?= <i@p.example>", "i@p.example", "Inês"),
        ("Ana | Shop <a@p.example>", "a@p.example", "Ana | Shop"),
        ('"Ruiz, Ana" <a@p.example>', "a@p.example", "Ruiz, Ana"),
        ("<mailto:a@p.example>", "a@p.example", ""),
        ("MAILER-DAEMON (Mail System)", "MAILER-DAEMON", "Mail System"),
        ("'a@p.example' <a@p.example>", "a@p.example", "'a@p.example'"),
        ('"unclosed <a@p.example>', "a@p.example", "unclosed"),
    ],
)
def test_a_sender_is_read_however_it_was_written(value, address, name):
    found = parse_mail(mail(sender=value)).sender
    assert (found.address, found.name) == (address, name)


def test_a_useless_from_gives_way_to_the_next():
    found = parse_mail(b"From: [??????]\r\nFrom: Ana <ana@p.example>\r\n\r\nx")
    assert found.sender.address == "ana@p.example"


def test_a_mail_without_message_id_has_the_same_derived_id_by_any_route():
    first = parse_mail(b"Received: by one\r\n" + mail(Message_ID=None))
    second = parse_mail(b"Received: by two\r\nDelivered-To: x@y.example\r\n" + mail(Message_ID=None))
    other = parse_mail(mail("Something else", Message_ID=None))
    assert first.is_message_id_derived
    assert first.message_id == second.message_id
    assert first.message_id != other.message_id
    assert parse_mail(mail(Message_ID="")).message_id == first.message_id


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain; charset=iso-8859-1", "señal".encode("latin-1"), "señal"),
        ("text/plain; charset=utf-8", "señal".encode("latin-1"), "señal"),
        ("text/plain; charset=us-ascii", "señal".encode(), "señal"),
        ("text/plain; charset=iso-8859-1", b"\x93quoted\x94", "“quoted”"),
        ("text/plain; charset=nonsense-9", "ação".encode(), "ação"),
        ("text/plain", "メール".encode("iso-2022-jp"), "メール"),
        ("text/plain; charset=gb2312", "丂".encode("gbk"), "丂"),
        ("text/plain; charset=utf-8", b"nul\x00here", "nulhere"),
        ("text/plain; charset=utf-7", b"x", "x"),
        ("text/plain; charset=idna", b"x", "x"),
        ("text/plain; charset=zlib", b"x", "x"),
    ],
)
def test_a_text_is_read_whatever_its_charset_claims(content_type, body, expected):
    assert parse_mail(mail(body, Content_Type=content_type)).text == expected


@pytest.mark.parametrize("ends", [b"\r\n", b"\n", b"\r"])
def test_every_kind_of_line_end_gives_the_same_mail(ends):
    raw = mail("line one\r\nline two", Content_Type="text/plain").replace(b"\r\n", ends)
    found = parse_mail(raw)
    assert (found.subject, found.text, found.message_id) == ("A question", "line one\nline two", "q1@patient.example")


def test_folded_headers_that_lost_their_white_space_are_joined_again():
    raw = (
        b'From: ana@p.example\nContent-Type: multipart/alternative;\nboundary="x"\nSubject: Hi\n\n--x\n\nhello\n--x--\n'
    )
    found = parse_mail(raw)
    assert (found.sender.address, found.subject, found.text) == ("ana@p.example", "Hi", "hello")
    assert found.defects == ("malformed_header",)


def attached(disposition, content=b"%PDF-1.7", content_type="application/pdf", encoding="base64"):
    body = base64.encodebytes(content) if encoding == "base64" else content
    return (
        mail("", Content_Type='multipart/mixed; boundary="b"', MIME_Version="1.0")
        + b"--b\r\nContent-Type: text/plain\r\n\r\nSee file\r\n--b\r\nContent-Type: "
        + content_type.encode()
        + b"\r\nContent-Transfer-Encoding: "
        + encoding.encode()
        + b"\r\nContent-Disposition: "
        + disposition.encode("utf-8")
        + b"\r\n\r\n"
        + body
        + b"\r\n--b--\r\n"
    )


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="lab.pdf"', "lab.pdf"),
        ("attachment; filename=lab result.pdf", "lab result.pdf"),
        ('attachment; filename="=?utf-8?Q?an=C3=A1lisis.pdf?="', "análisis.pdf"),
        ("attachment; filename*=utf-8''an%C3%A1lisis.pdf", "análisis.pdf"),
        ('attachment; filename*0="long "; filename*1="name.pdf"', "long name.pdf"),
        ("attachment; filename*0*=iso-8859-1''an%E1; filename*1*=lisis.pdf", "análisis.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\temp\\\\x.pdf"', "x.pdf"),
        ('attachment; filename="gpj.\u202efdp.exe"', "gpj._fdp.exe"),
        ("attachment", "attachment-1.pdf"),
    ],
)
def test_an_attachment_has_a_safe_name_and_its_exact_content(disposition, name):
    found = parse_mail(attached(disposition))
    assert [(file.name, file.content_type, file.content) for file in found.attachments] == [
        (name, "application/pdf", b"%PDF-1.7")
    ]
    assert found.text == "See file"


def test_a_very_long_name_keeps_its_extension():
    assert clean_name("x" * 500 + ".pdf") == "x" * 116 + ".pdf"
    assert clean_name("\x00/..") == "attachment"


def test_an_attached_mail_and_a_tnef_file_are_kept_whole():
    inner = b"Subject: Referral letter\r\n\r\nInner text"
    found = parse_mail(attached("attachment", inner, "message/rfc822", "7bit"))
    assert [(file.name, file.content) for file in found.attachments] == [("Referral letter.eml", inner)]
    tnef = parse_mail(attached('attachment; filename="winmail.dat"', b"\x78\x9f\x3e\x22", "application/ms-tnef"))
    assert [(file.name, file.content) for file in tnef.attachments] == [("winmail.dat", b"\x78\x9f\x3e\x22")]


def test_a_uuencoded_file_in_the_text_becomes_an_attachment():
    found = parse_mail(mail("Look\r\nbegin 644 note.txt\r\n#0V%T\r\n`\r\nend\r\nbye"))
    assert [(file.name, file.content) for file in found.attachments] == [("note.txt", b"Cat")]
    assert found.text == "Look\nbye"
    assert parse_mail(mail("begin 644 of the week\r\nnothing uuencoded")).attachments == ()


def test_an_inline_image_has_its_content_id():
    raw = (
        mail("", Content_Type='multipart/related; boundary="b"')
        + b'--b\r\nContent-Type: text/html\r\n\r\n<p>Rash <img src="cid:pic@1" alt="arm"></p>\r\n'
        + b"--b\r\nContent-Type: image/png\r\nContent-ID: <pic@1>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0K\r\n--b--"
    )
    found = parse_mail(raw)
    assert [(file.content_id, file.is_inline) for file in found.attachments] == [("pic@1", True)]
    assert found.html == '<p>Rash <img src="cid:pic@1" alt="arm"></p>'


def test_html_alone_gives_readable_text():
    found = parse_mail(html_mail("<p>Hello <b>doctor</b></p><ul><li>one</li></ul><script>evil()</script>"))
    assert found.text == "Hello doctor\n\n  * one"
    assert found.html == "<p>Hello <b>doctor</b></p><ul><li>one</li></ul>"


def test_the_plain_version_of_an_alternative_is_the_text():
    raw = (
        mail("", Content_Type='multipart/alternative; boundary="b"')
        + b"--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>rich</b>\r\n--b--"
    )
    found = parse_mail(raw)
    assert (found.text, found.html, found.attachments) == ("plain", "<b>rich</b>", ())


def test_soft_line_breaks_of_flowed_text_are_joined():
    raw = mail("This is one \r\nparagraph.\r\n> quoted \r\n> line\r\n", Content_Type="text/plain; format=flowed")
    assert parse_mail(raw).text == "This is one paragraph.\n> quoted \n> line"


# ---- hostile mail ----


def test_a_mail_over_the_limit_is_refused_unread():
    with pytest.raises(MailTooLarge):
        parse_mail(b"x" * 101, MailLimits(max_bytes=100))


def test_ten_megabytes_of_text_are_cut_and_said_to_be():
    found = parse_mail(mail(b"lorem ipsum\r\n" * 800_000))
    assert len(found.text) == 1_000_000
    assert found.defects == ("text_cut",)


def test_a_mime_bomb_of_depth_is_not_followed():
    raw = mail("", Content_Type='multipart/mixed; boundary="b0"')
    for level in range(5000):
        raw += f'--b{level}\r\nContent-Type: multipart/mixed; boundary="b{level + 1}"\r\n\r\n'.encode()
    found = parse_mail(raw)
    assert found.sender.address == "ana@patient.example"
    assert "nested_too_deep" in found.defects


def test_a_mime_bomb_of_parts_is_counted():
    raw = mail("", Content_Type='multipart/mixed; boundary="b"') + b"--b\r\n\r\nx\r\n" * 100_000
    found = parse_mail(raw)
    assert found.defects == ("too_many_parts",)
    assert found.text.count("x") == 200


def test_thousands_of_headers_and_one_endless_header_are_bounded():
    many = b"".join(b"X-H%d: y\r\n" % number for number in range(50_000))
    assert parse_mail(b"Subject: kept\r\n" + many + b"\r\nbody").defects == ("too_many_headers",)
    long = parse_mail(b"Subject: " + b"a\r\n b" * 200_000 + b"\r\nFrom: a@p.example\r\n\r\nbody")
    assert long.sender.address == "a@p.example"
    assert len(long.subject) <= 2000


def test_archives_are_never_unpacked():
    bomb = b"PK\x03\x04" + b"\x00" * 1000
    found = parse_mail(attached('attachment; filename="bomb.zip"', bomb, "application/zip"))
    assert hashlib.sha256(found.attachments[0].content).digest() == hashlib.sha256(bomb).digest()


def test_attachments_beyond_the_budget_are_left_out_and_said_to_be():
    limits = MailLimits(max_attachments_bytes=10)
    found = parse_mail(attached('attachment; filename="a.pdf"', b"x" * 100), limits)
    assert (found.attachments, found.defects) == ((), ("attachments_cut",))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00",
        b"\r\n\r\n",
        b"\xff" * 1000,
        b"From:\r\nTo:\r\n\r\n",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n',
        b"Content-Type: /\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"Content-Type: text/plain; charset=\xff\xfe\r\n\r\nx",
        b"Date: Thu, 99 Foo 99999 99:99:99 +9999\r\n\r\nx",
        b"=?=?=?=?: x\r\n\r\nx",
        b"Content-Type: message/delivery-status\r\n\r\n: : :\r\n",
        b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n\xff\xff\r\nend\r\n",
    ],
)
def test_no_bytes_are_unreadable(raw):
    found = parse_mail(raw)
    assert found.message_id
    assert "unreadable" not in found.defects


@settings(max_examples=150, deadline=2000)
@given(st.lists(st.sampled_from([
    b"From: ", b"a@b.example", b"\r\n", b"\n", b"\r", b"\x00", b"--b", b"--b--", b" ", b";", b'"', b"<", b">", b",",
    b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/delivery-status", b"=?utf-8?Q?", b"?=",
    b"Content-Transfer-Encoding: base64", b"Final-Recipient: rfc822; a@b", b"Subject: ", b"\xc3\x28", b"begin 644 x",
    b"<html><div>", b"charset*0*=utf-8''%ff", b"On Mon wrote:", b"> ", b"550 5.1.1 ", b"References: <", b"(", b"\\",
]), max_size=60))  # fmt: skip
def test_no_mixture_of_mail_pieces_is_unreadable(pieces):
    assert "unreadable" not in parse_mail(b"".join(pieces)).defects


@settings(max_examples=100, deadline=2000)
@given(st.binary(max_size=2000))
def test_no_random_bytes_are_unreadable(raw):
    assert "unreadable" not in parse_mail(raw).defects
