"""How well we read mail that we did not write: `python benchmarks/email_corpus.py [folder] [--misses]`.

Reads every file of the folder (default `../shared/data/email`), compares with the expected files that lie
in it (zammad/expected.json, sisimai/expected.json, email_reply_parser/expected.json, talon/cases.json) and
prints one rate a line. A folder or file that is not there is skipped, so this runs anywhere.
"""

from __future__ import annotations

import argparse
import email.parser
import hashlib
import html
import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from inbox.mail.bounce_reasons import BounceReason as R  # noqa: E402
from inbox.mail.html_quotes import quoted_html_to_text  # noqa: E402
from inbox.mail.parse import parse_mail  # noqa: E402
from inbox.mail.quotes import fold  # noqa: E402

DEFAULT_FOLDER = REPOSITORY.parent / "shared" / "data" / "email"

# The corpus' words for reasons, in ours. Several of theirs may be one of ours.
REASONS = {
    "userunknown": R.ADDRESS_UNKNOWN, "hasmoved": R.ADDRESS_MOVED, "hostunknown": R.DOMAIN_UNKNOWN,
    "notaccept": R.DOMAIN_REFUSES_MAIL, "mailboxfull": R.MAILBOX_FULL, "suspend": R.MAILBOX_DISABLED,
    "filtered": R.RECIPIENT_REFUSED, "rejected": R.SENDER_REFUSED, "blocked": R.SERVER_BLOCKED,
    "badreputation": R.BAD_REPUTATION, "authfailure": R.AUTHENTICATION_FAILED, "requireptr": R.REVERSE_DNS_MISSING,
    "notcompliantrfc": R.NOT_COMPLIANT, "policyviolation": R.POLICY, "securityerror": R.SECURITY,
    "failedstarttls": R.SECURITY, "spamdetected": R.SPAM, "virusdetected": R.VIRUS, "contenterror": R.CONTENT,
    "mesgtoobig": R.TOO_LARGE, "emailtoolarge": R.TOO_LARGE, "exceedlimit": R.TOO_LARGE, "speeding": R.RATE_LIMITED,
    "ratelimited": R.RATE_LIMITED, "toomanyconn": R.RATE_LIMITED, "norelaying": R.RELAY_DENIED, "expired": R.EXPIRED,
    "networkerror": R.NETWORK, "systemerror": R.SYSTEM, "systemfull": R.SYSTEM_FULL, "mailererror": R.MAILER,
    "syntaxerror": R.SYNTAX, "onhold": R.ON_HOLD, "feedback": R.COMPLAINT, "undefined": R.UNKNOWN,
    "suppressed": R.RECIPIENT_REFUSED,
}  # fmt: skip


class Table:
    """Counts of hits by line of the table, and what was missed."""

    def __init__(self) -> None:
        self.rows: dict[str, list[int]] = {}
        self.misses: list[str] = []

    def count(self, row: str, is_hit: bool, miss: str = "") -> None:
        """Count one comparison; `miss` is printed with --misses."""
        tally = self.rows.setdefault(row, [0, 0])
        tally[0] += is_hit
        tally[1] += 1
        if not is_hit:
            self.misses.append(f"{row}: {miss}")

    def print(self) -> None:
        """The table, one row a line."""
        for row, (hits, total) in self.rows.items():
            print(f"{row:<52} {hits:>5} / {total:<5} {100 * hits / total:6.1f} %")


def mails(folder: Path) -> Iterator[Path]:
    """Every file that holds a mail."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".eml", ".box", ".txt", ".mbox", ""):
            yield path


def parse_all(folder: Path, table: Table) -> None:
    """Every file through parse_mail: none raises, none is unreadable."""
    slowest, started, size = (0.0, ""), time.process_time(), 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        raw = path.read_bytes()
        size += len(raw)
        before = time.process_time()
        try:
            mail = parse_mail(raw)
            table.count("parsed without error", "unreadable" not in mail.defects, f"{path} {mail.defects}")
        except Exception as error:
            table.count("parsed without error", False, f"{path}: {error!r}")
        slowest = max(slowest, (time.process_time() - before, str(path.relative_to(folder))))
    seconds = time.process_time() - started
    print(f"{size / 1e6:.1f} MB in {seconds:.2f} s CPU; slowest {slowest[0] * 1000:.0f} ms ({slowest[1]})")


def zammad(folder: Path, table: Table) -> None:
    """Sender, subject, attachments against zammad/expected.json."""
    path = folder / "zammad" / "expected.json"
    if not path.exists():
        return
    for name, expected in json.loads(path.read_text()).items():
        source = next(
            (p for p in (path.parent / f"{name}.box", path.parent / f"{name}.eml", path.parent / name) if p.exists()),
            None,
        )
        if source is None:
            continue
        mail = parse_mail(source.read_bytes())
        if "from_email" in expected:
            address = mail.sender.address if mail.sender else ""
            table.count(
                "sender address",
                address.lower() == (expected["from_email"] or "").lower(),
                f"{name} {address!r} {expected['from_email']!r}",
            )
        if expected.get("from_display_name"):
            found = mail.sender.name if mail.sender else ""
            table.count(
                "sender name",
                squeeze(found) == squeeze(expected["from_display_name"]),
                f"{name} {found!r} {expected['from_display_name']!r}",
            )
        if "subject" in expected:
            wanted = squeeze(expected["subject"] or "")
            found = squeeze(mail.subject)
            table.count(
                "subject",
                found == wanted or (len(wanted) > 200 and found.startswith(wanted[:200])),
                f"{name} {found[:200]!r} {wanted[:200]!r}",
            )
        if "body" in expected:
            body(name, expected["body"] or "", mail.text, table)
        attachments(name, expected.get("attachments") or [], mail, table)


def body(name: str, expected: str, found: str, table: Table) -> None:
    """The words of the text, as their result may be HTML."""
    if expected.strip() == "no visible content":
        return
    wanted = words(html.unescape(re.sub(r"<[^>]*>", " ", expected)))
    got = words(found)
    overlap = len(set(wanted) & set(got)) / max(1, len(set(wanted)))
    table.count("text has at least 95 % of the expected words", overlap >= 0.95, f"{name} {overlap:.2f}")


def attachments(name: str, expected: list[dict[str, Any]], mail: Any, table: Table) -> None:
    """Names and content of files. Their stored copy of the HTML body is no attachment for us."""
    wanted = [item for item in expected if not (item.get("preferences") or {}).get("original-format")]
    have = {hashlib.sha256(item.content).hexdigest() for item in mail.attachments}
    names = {item.name for item in mail.attachments}
    for item in wanted:
        is_hit = item.get("sha256") in have
        table.count("attachment content (SHA-256)", is_hit, f"{name} {item['filename']} {sorted(names)}")
        table.count(
            "attachment name",
            item["filename"] in names or (is_hit and item["filename"].startswith(("file", "image", "document"))),
            f"{name} {item['filename']} {sorted(names)}",
        )


def sisimai(folder: Path, table: Table) -> None:
    """Recognition, status code, reason, hard or soft against sisimai/expected.json; false alarms in maildir/not."""
    path = folder / "sisimai" / "expected.json"
    if not path.exists():
        return
    for name, expected in json.loads(path.read_text()).items():
        source = path.parent / expected["file"]
        if source.exists():
            bounce(name, expected["recipients"], parse_mail(source.read_bytes()).bounces, table)
    for source in sorted((path.parent / "maildir" / "not").glob("*.eml")):
        table.count("no bounce seen where there is none", not parse_mail(source.read_bytes()).is_bounce, source.name)
    for kind in ("dos", "mac"):
        for source in sorted((path.parent / "maildir" / kind).glob("*.eml")):
            twin = path.parent / "maildir" / "bsd" / source.name
            if twin.exists():
                one, two = parse_mail(source.read_bytes()).bounces, parse_mail(twin.read_bytes()).bounces
                table.count("same bounce with other line ends", one == two, f"{kind}/{source.name}")


def bounce(name: str, expected: list[dict[str, Any]], found: tuple[Any, ...], table: Table) -> None:
    """One bounce mail, recipient by recipient in order."""
    if expected and expected[0]["reason"] in ("vacation", "delivered"):
        table.count("no bounce seen where there is none", not found, name)
        return
    table.count("bounce recognised", bool(found), name)
    table.count(
        "number of failed recipients",
        len(found) == len(expected),
        f"{name} {len(found)} {len(expected)} {[b.recipient for b in found]}",
    )
    for index, wanted in enumerate(expected):
        got = found[index] if index < len(found) else None
        is_hard, reason, status = (got.is_hard, got.reason, got.status) if got else (None, None, "")
        said = f"{got.reply_code} {reason} | {got.diagnostic[:160]}" if got else "nothing"
        detail = f"{name} want {wanted['dsn']} {wanted['replycode']} {wanted['reason']} got {status} {said}"
        table.count("hard or soft", is_hard == wanted["hardbounce"], detail)
        table.count("reason", reason == REASONS.get(wanted["reason"]), detail)
        # x.0.9nn are the corpus' own codes for mails that name none.
        if wanted["dsn"] and not re.fullmatch(r"[45]\.0\.9\d\d", wanted["dsn"]):
            table.count("status code", status == wanted["dsn"], detail)
        if wanted["replycode"]:
            table.count("SMTP reply code", bool(got) and got.reply_code == wanted["replycode"], detail)


def reply_parser(folder: Path, table: Table) -> None:
    """Facts of email_reply_parser/expected.json that concern what stays visible."""
    path = folder / "email_reply_parser" / "expected.json"
    if not path.exists():
        return
    for name, expected in json.loads(path.read_text()).items():
        text = (path.parent / name).read_text(errors="replace")
        started = time.process_time()
        new = fold(text).new_text
        seconds = time.process_time() - started
        if "reply" in expected:
            table.count("new text (email_reply_parser)", squeeze(new) == squeeze(expected["reply"]), f"{name} {new!r}")
        hidden = expected.get("hidden") or [True]
        if "fragment0_starts" in expected and not (expected.get("hidden") or [False])[0]:
            table.count(
                "new text (email_reply_parser)", new.startswith(expected["fragment0_starts"]), f"{name} {new[:80]!r}"
            )
        if "fragment0_contains" in expected:
            table.count("new text (email_reply_parser)", expected["fragment0_contains"] in new, f"{name} {new[:80]!r}")
        if hidden.count(False) > 1 and "fragment1_starts" in expected:
            table.count("new text (email_reply_parser)", expected["fragment1_starts"] in new, f"{name} {new[:80]!r}")
        if "max_seconds" in expected:
            table.count("new text within its time limit", seconds <= expected["max_seconds"], f"{name} {seconds:.2f}")


def talon(folder: Path, table: Table) -> None:
    """Quotation and signature cases of talon/cases.json and its fixture mails."""
    base = folder / "talon"
    if not base.exists():
        return
    cases = json.loads((base / "cases.json").read_text()) if (base / "cases.json").exists() else []
    for case in cases:
        talon_case(case, table)
    for path in sorted((base / "html_replies").glob("*.html")):
        new = fold(quoted_html_to_text(path.read_text(errors="replace"))).new_text
        table.count(
            "new text (talon, html mails)", words(new) == words("Hi. I am fine. Thanks, Alex"), f"{path.name} {new!r}"
        )
    for path in sorted((base / "standard_replies").glob("*.eml")):
        given = path.with_name(path.stem + "_reply_text")
        expected = given.read_text() if given.exists() else "Hello"
        new = parse_mail(path.read_bytes()).new_text
        table.count(
            "new text (talon, plain mails)", words(new) == words(fold(expected).new_text), f"{path.name} {new!r}"
        )
    signatures(base, table)


def talon_case(case: dict[str, Any], table: Table) -> None:
    """One stated pair of input and result."""
    if case["kind"] == "signature":
        expected = case["expected"][0] if isinstance(case["expected"], list) else case["expected"]
        new = fold(case["input"]).new_text
        table.count("signature (talon)", words(new) == words(expected or ""), f"{case['id']} {new!r}")
        return
    if not isinstance(case["expected"], str):
        return
    text = quoted_html_to_text(case["input"]) if case["kind"] == "html" else case["input"]
    expected = quoted_html_to_text(case["expected"]) if case["kind"] == "html" else case["expected"]
    new = fold(text).new_text
    is_hit = words(new) == words(fold(expected).new_text) or words(new) == words(expected)
    table.count(f"new text (talon, {case['kind']} cases)", is_hit, f"{case['id']} {new!r} want {expected!r}")


def signatures(base: Path, table: Table) -> None:
    """Bodies with their signature in a second file."""
    for path in sorted((base / "signature").rglob("*_body")) if (base / "signature").exists() else []:
        sender = path.with_name(path.name.replace("_body", "_signature"))
        text = path.read_text(errors="replace")
        signature = sender.read_text(errors="replace") if sender.exists() else ""
        expected = text.replace(signature, "") if signature else text
        table.count("signature (talon, fixtures)", words(fold(text).new_text) == words(expected), path.name)


def library(folder: Path, table: Table) -> None:
    """Sender and subject of all mails against the standard library, as a second opinion without expected files."""
    reader = email.parser.BytesHeaderParser()
    for path in mails(folder):
        raw = path.read_bytes()
        if b"\nFrom:" not in b"\n" + raw[:20000] or b"\nFrom:" in raw.split(b"\n\n")[0].split(b"\nFrom:", 1)[-1:][0]:
            continue
        theirs = reader.parsebytes(raw)
        from email.utils import parseaddr

        address = parseaddr(str(theirs["From"] or ""))[1]
        if "@" not in address or not address.isascii() or " " in address:
            continue
        mail = parse_mail(raw)
        ours = mail.sender.address if mail.sender else ""
        table.count(
            "sender as the standard library reads it",
            ours.rstrip(".") == address.strip("'.<>"),
            f"{path} {ours!r} {address!r}",
        )


def squeeze(text: str) -> str:
    """Text with single spaces."""
    return " ".join(text.replace("\u3000", " ").split())


def words(text: str) -> list[str]:
    """Words of a text, in order."""
    return re.findall(r"[^\W_]+", text)


def main() -> int:
    """Print the table; exit code 1 when a mail could not be parsed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    options.add_argument("--misses", action="store_true", help="name every miss")
    arguments = options.parse_args()
    if not arguments.folder.is_dir():
        print(f"no mails at {arguments.folder}: skipped")
        return 0
    table = Table()
    for measure in (parse_all, zammad, library, sisimai, reply_parser, talon):
        measure(arguments.folder, table)
    table.print()
    if arguments.misses:
        print("\n".join(table.misses))
    hits, total = table.rows.get("parsed without error", [0, 0])
    return int(hits != total)


if __name__ == "__main__":
    raise SystemExit(main())
