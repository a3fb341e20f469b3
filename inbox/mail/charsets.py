"""Bytes of uncertain charset into text that PostgreSQL can keep."""

from __future__ import annotations

import codecs
import re

# Senders name the small charset and write its superset (Windows, vendor extensions).
_SUPERSETS = {
    "ascii": "utf-8",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "tis-620": "cp874",
    "iso2022_jp": "iso2022_jp_ext",
}
_ALIASES = {
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "x-gbk": "gb18030",
    "cp-850": "cp850",
    "unicode-1-1-utf-7": "utf-7",
    "ansi_x3.4-1968": "ascii",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "iso-8859-8-i": "iso8859-8",
    "x-mac-roman": "mac-roman",
    "x-unknown": "",
    "unknown-8bit": "",
    "default": "",
    "binary": "",
    "8bit": "",
}
# Codecs that are not charsets, or that Python implements without a size bound on their output.
_FORBIDDEN = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"}
_GUESS_SAMPLE_BYTES = 32 * 1024
_ASCII = bytes(range(128))
# C0 controls but tab and line feed, C1 controls and lone surrogates: not text, and NUL cannot be stored.
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_ISO_2022_ESCAPE = re.compile(rb"\x1b\$[@B]|\x1b\(J")


def codec_name(declared: str | None) -> str | None:
    """Name of the Python codec to use for a declared charset, or None when it means nothing to us."""
    name = (declared or "").strip().strip("\"'").lower().split("*", 1)[0]
    name = _ALIASES.get(name, name)
    if not name or len(name) > 40:
        return None
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if codec.name in _FORBIDDEN or not getattr(codec, "_is_text_encoding", True):
        return None
    return _SUPERSETS.get(codec.name, codec.name)


def decode_bytes(data: bytes, declared: str | None = None) -> str:
    """Text of `data`: the declared charset if it fits, else UTF-8, else a guess. Never raises.

    A mail that names no charset or the wrong one is common; a wrong declaration loses only when it
    cannot decode the bytes.
    """
    codec = codec_name(declared)
    for name in _candidates(data, codec):
        try:
            return data.decode(name)
        except (UnicodeError, ValueError):
            continue
    return data.decode(_guess(data) or "cp1252", "replace")


def storable(text: str) -> str:
    """`text` with `\\n` line ends and without NUL and other control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSTORABLE.sub("", text)


def _candidates(data: bytes, codec: str | None) -> list[str]:
    names = []
    if _ISO_2022_ESCAPE.search(data, 0, _GUESS_SAMPLE_BYTES) and (codec is None or codec == "utf-8"):
        names.append("iso2022_jp_ext")
    if codec:
        names.append(codec)
    if codec != "utf-8":
        names.append("utf-8")
    return names


def _guess(data: bytes) -> str | None:
    sample = data[:_GUESS_SAMPLE_BYTES]
    if len(sample.translate(None, _ASCII)) * 4 < len(sample):
        # Few letters beyond ASCII: a European text, for which statistics on so little guess wildly.
        return None
    from charset_normalizer import from_bytes  # its tables are for mails of unknown encoding only

    match = from_bytes(sample).best()
    if match is None:
        return None
    try:
        data.decode(match.encoding)
    except (UnicodeError, LookupError):
        return None
    return match.encoding
