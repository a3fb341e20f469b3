"""HL7 v2 messages in their usual writing (ER7): segments, fields, repetitions, components. Pure."""

import re
from dataclasses import dataclass, field

MOST_BYTES, MOST_SEGMENTS = 262_144, 500
CHARSETS = {
    "": "utf-8", "ASCII": "ascii", "UTF-8": "utf-8", "UNICODE UTF-8": "utf-8", "UNICODE": "utf-8",
    "8859/1": "latin-1", "ISO-8859-1": "latin-1", "8859/15": "iso8859-15", "WINDOWS-1252": "cp1252",
}  # fmt: skip
_ESCAPES = re.compile(r"X((?:[0-9A-Fa-f]{2})+)$")


class Unreadable(ValueError):
    """Not a message that can be read; says why."""


@dataclass(slots=True)
class Segment:
    """One line. Fields count from 1, as the standard counts them; MSH-1 is the field separator."""

    name: str
    fields: list[str]
    signs: str

    def get(self, number: int, component: int = 1, repetition: int = 0) -> str:
        """A component of a repetition of a field, unescaped; "" when it is not there or says null."""
        repetitions = self.all(number)
        if repetition >= len(repetitions):
            return ""
        parts = repetitions[repetition]
        return parts[component - 1] if component <= len(parts) else ""

    def all(self, number: int) -> list[list[str]]:
        """Every repetition of a field as its components, unescaped."""
        text = self.fields[number - 1] if number <= len(self.fields) else ""
        if self.name == "MSH" and number <= 2:
            return [[text]]
        component, repeat, escape = self.signs[0], self.signs[1], self.signs[2]
        if text in ("", '""'):
            return []
        return [[self._plain(part, escape) for part in one.split(component)] for one in text.split(repeat)]

    def _plain(self, text: str, escape: str) -> str:
        if escape not in text:
            return text
        component, repeat, sub = self.signs[0], self.signs[1], self.signs[3]
        known = {"F": "|", "S": component, "T": sub, "R": repeat, "E": escape, ".br": "\n", "H": "", "N": ""}

        def said(match: re.Match[str]) -> str:
            word = match[1]
            if word in known:
                return known[word]
            found = _ESCAPES.match(word)
            return bytes.fromhex(found[1]).decode("utf-8", "replace") if found else ""

        sign = re.escape(escape)
        return re.sub(f"{sign}([^{sign}]*){sign}", said, text)


@dataclass(slots=True)
class Message:
    """A message by its segments, in order."""

    segments: list[Segment] = field(default_factory=list)

    def first(self, name: str) -> Segment:
        """The first segment of this name; an empty one when there is none."""
        return next((one for one in self.segments if one.name == name), Segment(name, [], "^~\\&"))

    def every(self, name: str) -> list[Segment]:
        """All segments of this name."""
        return [one for one in self.segments if one.name == name]


def read(raw: bytes) -> Message:
    """The message in these bytes, with or without the frame of MLLP. Raises Unreadable."""
    if len(raw) > MOST_BYTES:
        raise Unreadable("The message is too large.")
    raw = raw.strip(b"\x0b\x1c\r\n ")
    if not raw.startswith(b"MSH") or len(raw) < 8:
        raise Unreadable("The message does not begin with MSH.")
    text = _decoded(raw)
    if "\0" in text:
        raise Unreadable("The message holds a sign that is none.")
    separator, signs = text[3], (text[4:8] + "^~\\&")[:4]
    if separator != "|" or len(set(signs + separator)) < 5 or any(sign.isalnum() or sign.isspace() for sign in signs):
        raise Unreadable("The signs of MSH-1 and MSH-2 are not those of a message.")
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    if len(lines) > MOST_SEGMENTS:
        raise Unreadable("The message has too many segments.")
    return Message([_segment(line, signs) for line in lines])


def _segment(line: str, signs: str) -> Segment:
    name, *fields = line.split("|")
    if not re.fullmatch(r"[A-Z][A-Z0-9]{2}", name):
        raise Unreadable("A line does not begin with the name of a segment.")
    return Segment(name, ["|", *fields] if name == "MSH" else fields, signs)


def _decoded(raw: bytes) -> str:
    fields = raw.split(b"\r", 1)[0].split(b"\n", 1)[0].split(b"|")
    said = (
        fields[17].split(b"~")[0].split(b"^")[0].decode("ascii", "replace").strip().upper() if len(fields) > 17 else ""
    )
    charset = CHARSETS.get(said)
    if charset is None:
        raise Unreadable("The character set of MSH-18 is not known here.")
    try:
        return raw.decode(charset)
    except UnicodeDecodeError:
        raise Unreadable("The message is not written in the character set that MSH-18 names.") from None


def escaped(text: str) -> str:
    """Text as a field of a message of ours."""
    text = text.replace("\\", "\\E\\").replace("|", "\\F\\").replace("^", "\\S\\").replace("&", "\\T\\")
    return " ".join(text.replace("~", "\\R\\").split())


def acknowledgement(code: str, message: Message | None, *, words: str, moment: str, control_id: str) -> bytes:
    """ACK with AA, AE or AR; `words` says why not."""
    head = (message or Message()).first("MSH")
    event, version = head.get(9, 2), head.get(12) or "2.5.1"
    kind = f"ACK^{event}^ACK" if event else "ACK"
    sides = [escaped(head.get(number)) for number in (5, 6, 3, 4)]
    lines = [
        "|".join(["MSH", "^~\\&", *sides, moment, "", kind, control_id, head.get(11) or "P", version])
        + "||||||UNICODE UTF-8",
        f"MSA|{code}|{escaped(head.get(10))}" + (f"|{escaped(words)[:200]}" if words else ""),
    ]
    if code != "AA":
        error = "207^Application internal error^HL70357" if code == "AE" else "200^Unsupported message type^HL70357"
        lines.append(f"ERR|||{error}|E||||{escaped(words)[:250]}")
    return ("\r".join(lines) + "\r").encode()
