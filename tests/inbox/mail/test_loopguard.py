"""No machine of ours ever answers a machine; a person's answer goes only where it is shown to go."""

import pytest

from inbox.mail.loopguard import NoReplyReason, automatic_headers, refusal, reply_recipients
from inbox.mail.parse import parse_mail
from tests.inbox.mail.mails import mail, report

OURS = ["care@aurora.test", "billing@aurora.test"]


def decide(raw):
    return refusal(parse_mail(raw), OURS)


def test_a_person_gets_an_answer():
    assert decide(mail()) == NoReplyReason.NONE


AUTO_MAILS = {
    "auto-replied": mail(Auto_Submitted="auto-replied"),
    "auto-generated": mail(Auto_Submitted="auto-generated; type=notice"),
    "auto-notified": mail(Auto_Submitted="auto-notified (owner)"),
    "x-auto-submitted": mail(X_Auto_Submitted="auto-replied"),
    "precedence bulk": mail(Precedence="bulk"),
    "precedence list": mail(Precedence="List"),
    "precedence junk": mail(Precedence="junk"),
    "precedence auto_reply": mail(Precedence="auto_reply"),
    "list id": mail(List_Id="<news.example>"),
    "list unsubscribe": mail(List_Unsubscribe="<mailto:u@x.example>"),
    "suppress all": mail(X_Auto_Response_Suppress="All"),
    "suppress oof": mail(X_Auto_Response_Suppress="DR, OOF, AutoReply"),
    "autoreply": mail(X_Autoreply="yes"),
    "autorespond": mail(X_Autorespond="1"),
    "autoreply from": mail(X_AutoReply_From="a@b.example"),
    "mail autoreply": mail(X_Mail_Autoreply="1"),
    "machine generated": mail(X_FC_MachineGenerated="true"),
    "exchange loop": mail(X_MS_Exchange_Inbox_Rules_Loop="a@b.example"),
    "autoresponder": mail(Delivered_To="Autoresponder"),
    "null sender": mail(Return_Path="<>"),
    "feedback id": mail(Feedback_ID="1:news"),
    "out of office": mail(subject="Out of office: back on Monday"),
    "automatic reply": mail(subject="Automatic reply: Your visit"),
    "spanish": mail(subject="Respuesta automática: Cita"),
    "portuguese": mail(subject="=?utf-8?Q?Resposta_autom=C3=A1tica=3A_Consulta?="),
    "french": mail(subject="Réponse automatique : visite"),
    "german": mail(subject="Automatische Antwort: Termin"),
    "german absence": mail(subject="Abwesenheitsnotiz: Termin"),
    "daemon": mail(sender="MAILER-DAEMON@mx.example"),
    "postmaster": mail(sender="postmaster@mx.example"),
    "noreply": mail(sender="no-reply@shop.example"),
    "noreply with tag": mail(sender="noreply+77@shop.example"),
    "spanish noreply": mail(sender="no-responder@banco.example"),
    "bounces": mail(sender="news-bounces@list.example"),
    "owner": mail(sender="owner-list@list.example"),
    "reply to robot": mail(Reply_To="noreply@shop.example"),
    "our own mailbox": mail(sender="Care@Aurora.test"),
    "our own plus address": mail(sender="care+r-1-aaaaaaaaaaaaaaaa@aurora.test"),
    "our other mailbox": mail(sender="billing@aurora.test"),
    "our loop header": mail(X_Continuo_Loop="care@aurora.test"),
    "no sender": mail(sender=None),
    "sender without domain": mail(sender="root"),
    "bounce": report("Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"),
    "read receipt": mail(Content_Type="multipart/report; report-type=disposition-notification; boundary=b"),
    "our own automatic mail": mail(
        **{k.replace("-", "_"): v for k, v in automatic_headers("care@aurora.test").items()}
    ),
}


def test_no_auto_mail_is_answered(capsys):
    answered = [name for name, raw in AUTO_MAILS.items() if decide(raw) is NoReplyReason.NONE]
    print(f"X9 mail loops: {len(answered)} replies to {len(AUTO_MAILS)} auto-mails")
    assert answered == []


def test_two_machines_that_answer_each_other_stop_at_once():
    ours = mail(sender="care@aurora.test", to="bot@other.example", **{
        name.replace("-", "_"): value for name, value in automatic_headers("care@aurora.test").items()
    })  # fmt: skip
    assert decide(ours) is NoReplyReason.LOOP
    their_answer = mail(sender="bot@other.example", X_Continuo_Loop="care@aurora.test")
    assert decide(their_answer) is NoReplyReason.LOOP


def test_an_answer_goes_to_reply_to_else_the_sender_and_never_to_ourselves():
    raw = mail(to="care+r-1-aaaaaaaaaaaaaaaa@aurora.test, son@x.example", Cc="Dr <dr@x.example>, billing@aurora.test")
    alone = reply_recipients(parse_mail(raw), OURS)
    together = reply_recipients(parse_mail(raw), OURS, with_cc=True)
    assert ([a.key for a in alone.to], alone.cc) == (["ana@patient.example"], ())
    assert [a.key for a in together.cc] == ["son@x.example", "dr@x.example"]
    other = reply_recipients(parse_mail(mail(Reply_To="new@patient.example")), OURS)
    assert [a.key for a in other.to] == ["new@patient.example"]


@pytest.mark.parametrize("cc", ["", "other@x.example"])
def test_recipients_come_from_one_mail_only(cc):
    found = reply_recipients(parse_mail(mail(Cc=cc)), OURS, with_cc=True)
    assert [a.key for a in found.cc] == ([cc] if cc else [])
