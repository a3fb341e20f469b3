"""One spelling for what people write about days and hours: no accents, figures for words, one word for one meaning.

Pure. English, Spanish, Portuguese; read by `wished`.
"""

import re
import unicodedata

_HOURS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7,
    "ocho": 8, "nueve": 9, "diez": 10, "once": 11, "doce": 12, "uma": 1, "duas": 2, "quatro": 4, "sete": 7, "oito": 8,
    "nove": 9, "dez": 10, "onze": 11, "doze": 12,
}  # fmt: skip
_SIGN = r"(?:[ap]\.?m\b\.?|h\b|hs\b|hrs\b)"
_HOUR_SIGNED = rf"(\d{{1,2}}(?:[:.h]\d{{2}}(?: ?{_SIGN})?| ?{_SIGN}))"
_AT = r"(?:at|a las|las|as) "
_LATER = "(?:or later|or after|onwards?|o mas tarde|en adelante|ou mais tarde|em diante)"
_EARLIER = "(?:or earlier|or before|o antes|ou antes)"
_UNIT = "(days?|weeks?|dias?|semanas?)"
_SPELLINGS = tuple(
    (re.compile(pattern), kept)
    for pattern, kept in (
        (r"pasado manana|depois de amanha|(?:the )?day after tomorrow", "dayafter"),
        (r"\b(\d{1,2}): (\d\d)\b", r"\1:\2"),
        (r"\b(\d{1,2}:\d\d)([ap])\b", r"\1\2m"),
        (r"\b(\d{1,2}) horas?(?= (?:d[ae] )?(?:la )?(?:manha|manana|tarde|am|pm)\b)", r"\1h"),
        (r"\b(\d{1,2})h? (?:horas? )?([ap])\.?m\.? d[ae] (?:la )?(?:manha|manana|tarde)\b", r"\1\2m"),
        (r"\blater than\b|\bmas tarde de\b|\bmais tarde (?:do )?que\b", "after"),
        (rf"(?:{_AT})?{_HOUR_SIGNED} {_LATER}", r"after \1"),
        (rf"{_AT}(\d{{1,2}}) {_LATER}", r"after \1"),
        (rf"(?:{_AT})?{_HOUR_SIGNED} {_EARLIER}", r"before \1"),
        (rf"{_AT}(\d{{1,2}}) {_EARLIER}", r"before \1"),
        (r"\blater (?=this (?:week|month)\b)", ""),
        (r"\b(?:the )?following week\b", "next week"),
        (r"\bsemana (?:siguiente|seguinte)\b", "proxima semana"),
        (rf"\b(\w+) {_UNIT} (?:(?:after|from) (?:today|now)|(?:a partir|despues|depois) de ho(?:y|je))\b", r"in \1 \2"),
        (r"\b(?:en|em|in) in\b", "in"),
        (r"\bno (?=dia \d|fim de semana|proximo |mes que)", "em "),
    )
)  # fmt: skip
_NO_HOURS = (  # neither days nor people, and nothing that minutes in words belong to
    r"\b(?! (?:de|of|days?|dias?|weeks?|semanas?|hours?|horas?|people|y|e|to|past|menos|ten|five|quarter|fifteen|"
    r"twenty|thirty|forty|fifty|diez|cinco|cuarto|quince|veinte|treinta|cuarenta|cincuenta|dez|quinze|vinte|trinta|"
    r"quarenta|cinquenta)\b(?! la\b))"
)
_HOUR = f"({'|'.join(_HOURS)})"
_FROM_HOUR_TO_HOUR = re.compile(rf"\b(?:from|between) {_HOUR} (?:to|and) {_HOUR}{_NO_HOURS}")
_AT_HOUR = re.compile(rf"\b(at|after|before|by|las?|as) {_HOUR}{_NO_HOURS}")


def plain(text: str) -> str:
    """The text in that spelling, in lower case with single spaces."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("’", "'").replace("–", "-"))
    kept = " ".join("".join(sign for sign in folded if not unicodedata.combining(sign)).split())
    kept = _AT_HOUR.sub(lambda match: f"{match[1]} {_HOURS[match[2]]}", kept)
    kept = _FROM_HOUR_TO_HOUR.sub(lambda match: f"between {_HOURS[match[1]]} and {_HOURS[match[2]]}", kept)
    for pattern, spelling in _SPELLINGS:
        kept = pattern.sub(spelling, kept)
    return kept
