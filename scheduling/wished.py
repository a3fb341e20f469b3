"""Which days and hours somebody asks for: "next Tuesday after 3", "el 15 por la tarde". English, Spanish, Portuguese.

Pure. What could mean two things, lies in the past, excludes a day or names several is not read at all: a person reads
it. The answer only narrows the times that are offered; the patient chooses.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from urllib.parse import urlencode

from scheduling.wished_words import plain

MOST_LETTERS = 200
FAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Wished:
    """Days from `first` to `last`, of them only `weekday` when it is given; begins between the hours."""

    first: date
    last: date
    weekday: int | None = None
    not_before: time | None = None
    not_after: time | None = None

    def days(self) -> list[date]:
        """The days that are meant."""
        span = (self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1))
        return [day for day in span if self.weekday in (None, day.weekday())]

    def query(self) -> str:
        """The same in the address of a page with free times; days and hours tell nothing about anybody."""
        words = {"from": self.first, "until": self.last, "day": self.weekday, "after": self.not_before}
        words |= {"before": self.not_after if self.not_after != self.not_before else None}
        return urlencode({name: str(word)[:10] for name, word in words.items() if word is not None})


def from_query(given: Mapping[str, str], today: date) -> Wished | None:
    """What `query` said; None when it says no last day, or anything else. The past is left out."""
    try:
        first, last = max(date.fromisoformat(given["from"]), today), date.fromisoformat(given["until"])
        weekday = int(given["day"]) if given.get("day") else None
        hours = [time.fromisoformat(given[name]) if given.get(name) else None for name in ("after", "before")]
    except (KeyError, ValueError):
        return None
    if last < first or last - first > timedelta(days=62) or any(hour and hour.tzinfo for hour in hours):
        return None
    if weekday not in (None, *range(7)) or (hours[0] and hours[1] and hours[1] <= hours[0]):
        return None
    return Wished(first, last, weekday, *hours)


_WEEKDAYS = (
    "monday|mon|lunes|segunda(?:[- ]feira)", "tuesday|tues?|martes|terca(?:[- ]feira)?",
    "wednesday|wed|miercoles|quarta(?:[- ]feira)", "thursday|thurs?|jueves|quinta(?:[- ]feira)",
    "friday|fri|viernes|sexta(?:[- ]feira)?", "saturday|sat|sabado", "sunday|domingo",
)  # fmt: skip
_MONTHS = (
    "january|jan|enero|ene|janeiro", "february|feb|febrero|fevereiro|fev", "march|marzo|marco",
    "april|apr|abril|abr", "may|mayo|maio", "june|jun|junio|junho", "july|jul|julio|julho",
    "august|aug|agosto|ago", "september|sept|sep|septiembre|setiembre|setembro|set",
    "october|oct|octubre|outubro|out", "november|nov|noviembre|novembro", "december|dec|diciembre|dic|dezembro|dez",
)  # fmt: skip
_NUMBERS = {
    "a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "un": 1, "una": 1, "dos": 2, "tres": 3,
    "cuatro": 4, "cinco": 5, "seis": 6, "um": 1, "uma": 1, "dois": 2, "duas": 2, "quatro": 4,
}  # fmt: skip
_NOT_READ = re.compile(
    r"\b(?:not|no|nao|never|except|excepto|exceto|menos|unless|but|salvo|neither|nor|ni|nem|without|cannot|\w+n't|cant|dont|"
    r"last|ago|past|previous|yesterday|ayer|ontem|anterior(?:es)?|passad[ao]s?|hace|atras|ultim[oa]s?|"
    r"every|each|cada|todos|todas|daily|weekly|mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays|"
    r"between|entre|from|desde|since|until|till|hasta|ate|through|or|o|ou|either|if|\d\S* (?:to|a) \d|"
    r"beginning|begin|start|early|earlier|late|later|end|mid|middle|around|about|cerca|alrededor|principios?|finales|fin(?! de semana)|inicio|"
    r"meados|quarter|trimestre|year|ano|anos|years|century|siglo|hour|hours|minutes|horas|hora|minutos|next weekend|"
    r"christmas|navidad|natal|easter|pascua|week of|weeks? after|weeks? before|days? after|days? before|"
    r"days? from|weeks? from|rest|remaining|resto|following|siguientes?|seguintes?|next \d+|proxim[oa]s|coming \d+|"
    r"birthday|half|media|meia|night|noche|noite|maybe|quizas?|talvez|mornings|afternoons|evenings|mananas|tardes|manhas|"
    r"temprano|cedo|second|third|twenty|thirty|\w+teen|hundred|thousand|veint\w+|treinta|trinta|vinte|dieci\w+|"
    r"i work|working|at work|busy|away|be out|travel\w*|trip|vacations?|holidays?|unavailable|impossible|trabajo|trabajando|"
    r"trabajar|trabalho|trabalhando|trabalhar|ocupad[ao]s?|viaj\w+|viagem|vacaciones|ferias|fuera|fora|imposible|impossivel|"
    r"within|less|least|more|almost|mas|mais|to in|"
    r"segundo|tercer\w*|terceir\w+|primer\w*|primeir\w+)\b|\d\s*-\s*\d{1,2}\b(?!-)"
)
_PASSED = re.compile(r"\bpasad[oa]\b")
_TO = r"(?:this|on|el|este|esta|na|no|the|coming|for|para|neste|nesta|)\s*"
_NEXT = r"(?P<next>next|(?:el |la )?proxim[oa]|(?:na |no )?proxim[oa])\s+"
_AFTER_WORDS = r"(?P<que>\s+que (?:viene|vem)|\s+proxim[oa])?"
_YEAR = r"(?:,?\s*(?:de |del |of )?(?P<year>\d{4}))?"
_EDGE, _END = r"(?<![\w/.:-])", r"(?![\w/:-]|\.\d)"


def wished(text: str, today: date) -> Wished | None:
    """The days and hours that a text asks for, seen from `today`; None when that is not plain. Never raises."""
    if len(text) > MOST_LETTERS:
        return None
    words = plain(text)
    words, between = _from_hour_to_hour(words)
    words, span = _from_day_to_day(words, today)
    if _NOT_READ.search(words) or _PASSED.search(words):
        return None
    rest, part = _part_of_day(words)
    found = [*_days(rest, today)] + ([((0, 0), span)] if span else [])
    if len(found) != 1:
        return None
    (begin, end), days = found[0]
    hours = _hours(f"{rest[:begin]} | {rest[end:]}")
    if hours is None or days is None or days.first < today or days.first > today + FAR:
        return None
    if between and hours != (None, None):
        return None
    hours = between or hours
    if part and hours != (None, None):
        return None if any(hour is not None and not part[0] <= hour <= part[1] for hour in hours) else replace(
            days, not_before=hours[0] or part[0], not_after=hours[1] or part[1]
        )  # fmt: skip
    if part:
        hours = part
    return replace(days, not_before=hours[0], not_after=hours[1])


_PARTS = (
    (re.compile(r"\b(?:in |this |por |de |en |pela |da |na |a |de )?(?:the |la |na |)(?:morning|manana|manha)\b"), (time(6), time(12))),
    (re.compile(r"\b(?:in |this |por |de |en |a |pela |da |na )?(?:the |la |)(?:afternoon|tarde)\b"), (time(12), time(18))),
    (re.compile(r"\b(?:in |this )?(?:the )?evening\b"), (time(16), time(21))),
)  # fmt: skip
_TOMORROW = re.compile(r"(?<!la )\bmanana\b")


def _part_of_day(words: str) -> tuple[str, tuple[time, time] | None]:
    """What is left, and the part of the day; after an hour it says which of two hours is meant."""
    kept = re.sub(r"(\d) ?(?:de la|da|in the) (?:manana|manha|morning)\b", r"\1am", words)
    kept = re.sub(r"(\d) ?(?:de la|da|in the) (?:tarde|afternoon)\b", r"\1pm", kept)
    kept = _TOMORROW.sub("tomorrow", kept)
    for pattern, part in _PARTS:
        if pattern.search(kept):
            return pattern.sub(" ", kept), part
    return kept, None


def _days(rest: str, today: date) -> Iterator[tuple[tuple[int, int], Wished | None]]:
    """Each mention of a day, the longest first; a later one inside it is part of it."""
    taken: list[tuple[int, int]] = []
    for pattern, meaning in _MENTIONS:
        for match in pattern.finditer(rest):
            span = match.span()
            if any(span[0] < end and begin < span[1] for begin, end in taken):
                continue
            taken.append(span)
            yield span, _safely(meaning, match, today)


def _safely(
    meaning: Callable[[re.Match[str], date], Wished | None], match: re.Match[str], today: date
) -> Wished | None:
    try:
        return meaning(match, today)
    except (ValueError, OverflowError):
        return None


def _one(day: date) -> Wished:
    return Wished(day, day)


def _on_date(day: int, month: int, year: str | None, today: date) -> Wished:
    if year:
        return _one(date(int(year), month, day))
    found = date(today.year, month, day)
    return _one(found if found >= today else date(today.year + 1, month, day))


def _month_of(match: re.Match[str]) -> int:
    word = match["month"]
    return next(number for number, names in enumerate(_MONTHS, 1) if re.fullmatch(names, word))


def _weekday_date(match: re.Match[str], today: date) -> Wished | None:
    """A weekday beside its date must agree with it."""
    found = _on_date(int(match["day"]), _month_of(match), match["year"], today)
    named = match.groupdict().get("weekday")
    number = next((at for at, names in enumerate(_WEEKDAYS) if named and re.fullmatch(names, named)), None)
    return found if number in (None, found.first.weekday()) else None


def _slashed(match: re.Match[str], today: date) -> Wished | None:
    first, second = int(match["a"]), int(match["b"])
    if first <= 12 and second <= 12 and first != second:
        return None  # the day or the month, who knows
    day, month = (first, second) if first > 12 else (second, first)
    year = match["year"]
    return _on_date(day, month, f"20{year}" if year and len(year) == 2 else year, today)


def _weekday(match: re.Match[str], today: date) -> Wished:
    """The coming one; "next" may mean that or the one of next week, and so may today's own name."""
    number = next(at for at, names in enumerate(_WEEKDAYS) if re.fullmatch(names, match["weekday"]))
    coming = today + timedelta(days=(number - today.weekday()) % 7)
    groups = match.groupdict()
    if groups.get("next") or groups.get("que"):
        following = today + timedelta(days=7 - today.weekday() + number)
        return Wished(coming if coming > today else following, following, number)
    return Wished(coming, coming if coming > today else coming + timedelta(days=7), number)


def _weekday_of_week(match: re.Match[str], today: date) -> Wished:
    number = next(at for at, names in enumerate(_WEEKDAYS) if re.fullmatch(names, match["weekday"]))
    return _one(today + timedelta(days=7 - today.weekday() + number))


def _week(match: re.Match[str], today: date) -> Wished:
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7 if _is_next(match) else 0)
    return Wished(max(monday, today), monday + timedelta(days=6))


def _month(match: re.Match[str], today: date) -> Wished:
    first = today.replace(day=1)
    if _is_next(match):
        first = (first + timedelta(days=31)).replace(day=1)
    return Wished(max(first, today), (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def _is_next(match: re.Match[str]) -> bool:
    groups = match.groupdict()
    return bool(groups.get("next") or groups.get("que"))


def _in_time(match: re.Match[str], today: date) -> Wished:
    count = match["count"]
    days = int(count) if count.isdecimal() else _NUMBERS[count]
    return _one(today + timedelta(days=days * (7 if match["unit"].startswith(("week", "semana")) else 1)))


def _day_of_month(match: re.Match[str], today: date) -> Wished:
    day = int(match["day"])
    if not 1 <= day <= 31:
        raise ValueError
    month = today.replace(day=1)
    while True:
        try:
            found = month.replace(day=day)
        except ValueError:
            found = None
        if found is not None and found >= today:
            return _one(found)
        month = (month + timedelta(days=31)).replace(day=1)


def _day_and_month(match: re.Match[str], today: date) -> Wished:
    return _on_date(int(match["day"]), int(match["month"]), match["year"], today)


def _weekday_and_day(match: re.Match[str], today: date) -> Wished | None:
    """ "Sunday the 31st": the next day that is both; None when that is far, for then something else may be meant."""
    number = next(at for at, names in enumerate(_WEEKDAYS) if re.fullmatch(names, match["weekday"]))
    days = (today + timedelta(days=ahead) for ahead in range((number - today.weekday()) % 7, 93, 7))
    return next((_one(day) for day in days if day.day == int(match["day"])), None)


def _weekday_and_near_day(match: re.Match[str], today: date) -> Wished | None:
    found = _weekday_and_day(match, today)
    return found if found and found.first - today <= timedelta(days=31) else None


def _weekend(match: re.Match[str], today: date) -> Wished:
    saturday = today + timedelta(days=5 - today.weekday())
    return Wished(max(saturday, today), saturday + timedelta(days=1))


_W, _M = "|".join(_WEEKDAYS), "|".join(_MONTHS)
_NAMED = rf"(?:(?P<weekday>{_W})\.?,?\s+)?(?:the |el |dia |o )?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|ro|o)?"
_NOT_ANY = "".join(f"(?<!{word} )" for word in ("a", "un", "um", "any", "otro", "outro", "algun", "algum", "next"))
_COUNT = rf"(?P<count>\d{{1,2}}|{'|'.join(_NUMBERS)})"
_MENTIONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Wished | None]], ...] = tuple(
    (re.compile(_EDGE + pattern + _END), meaning)
    for pattern, meaning in (
        (r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})", _day_and_month),
        (rf"{_NAMED}{_DAY}\s+(?:de |of |del )?(?P<month>{_M})\.?{_YEAR}", _weekday_date),
        (rf"{_NAMED}(?P<month>{_M})\.?\s+(?:the )?{_DAY}{_YEAR}", _weekday_date),
        (r"(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?", _slashed),
        (r"(?:el |dia |o |em )(?P<day>\d{1,2}) del? (?P<month>\d{1,2})(?: del? (?P<year>\d{4}))?", _day_and_month),
        (rf"{_TO}(?P<weekday>{_W}),? (?:(?:the|el|dia|o dia) )(?P<day>\d{{1,2}})(?:st|nd|rd|th)?", _weekday_and_day),
        (rf"{_TO}(?P<weekday>{_W}),? (?P<day>2[2-9]|3[01])(?:st|nd|rd|th)?", _weekday_and_day),
        (rf"{_TO}(?P<weekday>{_W}),? (?P<day>1[3-9]|2[01])(?:st|nd|rd|th)?", _weekday_and_near_day),  # or an hour
        (rf"{_TO}{_NOT_ANY}(?:weekend|fin de semana|fim de semana)(?! (?:of|de|del|d[aeo]|in|en|em|after|before)\b)", _weekend),
        (rf"(?:(?P<weekday>{_W})(?:,)? (?:of |in |de (?:la )?|da )?(?:next week|(?:la )?(?:proxima semana|semana que vie?ne?m?)))",
         _weekday_of_week),
        (rf"next week,? (?:on )?(?P<weekday>{_W})", _weekday_of_week),
        (rf"{_NEXT}(?P<weekday>{_W})", _weekday),
        (rf"{_TO}(?P<weekday>{_W}){_AFTER_WORDS}", _weekday),
        (r"(?:la |na )?semana(?P<que> que (?:viene|vem))", _week),
        (rf"(?:{_NEXT}|this |esta |nesta )(?:week|semana)", _week),
        (rf"(?:{_NEXT}|this |este |neste |el |no )(?:month|mes){_AFTER_WORDS}", _month),
        (rf"(?:in|en|dentro de|daqui a|em) {_COUNT} (?P<unit>days?|dias?|weeks?|semanas?)", _in_time),
        (r"dayafter", lambda match, today: _one(today + timedelta(days=2))),
        (r"(?:tomorrow|amanha)", lambda match, today: _one(today + timedelta(days=1))),
        (r"(?:today|hoy|hoje)", lambda match, today: _one(today)),
        (r"(?:the (?P<day>\d{1,2})(?:st|nd|rd|th))", _day_of_month),
        (r"(?:(?:el |no )?dia|el) (?P<day>\d{1,2})", _day_of_month),
    )
)  # fmt: skip
_A_DAY = rf"(?:(?:{_M})\.? (?:the )?\d{{1,2}}(?:st|nd|rd|th)?|\d{{1,2}}(?:st|nd|rd|th|ro|o)? (?:de |of )?(?:{_M}))(?:,? (?:de |del |of )?\d{{4}})?"
_A_DAY += r"|\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}(?:/\d{4})?|today|tomorrow|hoy|manana|hoje|amanha"
_DAY_TO_DAY = re.compile(
    rf"\b(?:between|from|entre|desde|del?|do) (?:the |el |o |dia )?(?P<first>{_A_DAY}|\d{{1,2}}(?:st|nd|rd|th)?) "
    rf"(?:and|to|until|till|through|y|a|al|hasta|e|ate|ao) (?:the |el |o |dia )?(?P<last>{_A_DAY}){_END}"
)


def _from_day_to_day(words: str, today: date) -> tuple[str, Wished | None]:
    """What is left, and the days from the one that is named first to the other; a number alone has the other's month."""
    match = _DAY_TO_DAY.search(words)
    if match is None:
        return words, None
    first, last = match["first"], match["last"]
    if re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)?", first):
        if not re.search(_M, last):
            return words, None
        first = re.sub(r"(?<!\d)\d{1,2}(?!\d)", re.sub(r"\D", "", first), last, count=1)
    ends = [[days for _, days in _days(_TOMORROW.sub("tomorrow", end), today)] for end in (first, last)]
    if [len(days) for days in ends] != [1, 1] or None in (ends[0][0], ends[1][0]):
        return words, None
    found = Wished(ends[0][0].first, ends[1][0].last)  # type: ignore[union-attr]
    is_plain = today <= found.first < found.last <= found.first + timedelta(days=61)
    return (f"{words[: match.start()]}|{words[match.end() :]}", found) if is_plain else (words, None)


_HOUR = r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?\s*(?P<half>a\.?m\.?|p\.?m\.?|h|hs|hrs|o'?clock)?(?![\w:/])"
_CLOCK = re.compile(
    rf"(?P<word>\b(?:after|not before|despues de|a partir de|depois d[ae]s?|apos|before|antes d[aeo]s?|by|at|as|a)\b)?\s*(?:las |la |as |a )?{_HOUR}"
)
_AFTER = re.compile(r"after|despues|partir|depois|apos")
_BEFORE = re.compile(r"before|antes|by")


_SIGNS = r"\d{1,2}(?:[:.h]\d{2})?\s*(?:a\.?m\.?|p\.?m\.?|h|hs|hrs|o'?clock)?"
_HOUR_TO_HOUR = re.compile(
    rf"(?<![\w/.:-])(?P<intro>between|from|entre|de|das)?\s*(?P<las>las |as )?(?P<first>{_SIGNS})\s*"
    rf"(?P<to>to|and|until|till|-|y|a|e|as|ate|hasta)\s*(?P<at>las |as )?(?P<last>{_SIGNS})(?![\w/:-])"
    rf"(?! (?:de |of )?(?:{_M})\b)(?! (?:of|del?|do) (?:this|next|the|est[ea]|proxim))"
)


def _from_hour_to_hour(words: str) -> tuple[str, tuple[time, time] | None]:
    """What is left, and the hours between which it should be. Without a sign that hours are meant it may be days."""
    for match in _HOUR_TO_HOUR.finditer(words):
        first, last = _CLOCK.search(match["first"]), _CLOCK.search(match["last"])
        if not (first and last):
            continue
        if not _are_hours(match, first, last):
            continue
        until = _clock(last)
        half = (last["half"] or "")[:1] if not first["half"] else ""
        begins = (_clock(first, half) if half in ("a", "p") else None, _clock(first))
        begin = next((at for at in begins if at and until and at < until), None)
        if begin and until:
            return f"{words[: match.start()]} {words[match.end() :]}", (begin, until)
    return words, None


def _are_hours(match: re.Match[str], first: re.Match[str], last: re.Match[str]) -> bool:
    """ "jueves 10 a las 15:30" is a day and an hour: only "to" and "-" may leave the first figure bare."""
    if match["intro"] in ("between", "entre", "from", "das") or match["las"] or first["half"] or first["minute"]:
        return True
    return match["to"] in ("to", "-", "until", "till") and bool(last["half"] or last["minute"])


def _hours(rest: str) -> tuple[time | None, time | None] | None:
    """The hours that are asked for, (None, None) when none are; None when they are not plain."""
    found = list(_CLOCK.finditer(rest))
    if len(found) > 1 or (not found and re.search(r"\d", rest)):
        return None
    if not found:
        return (None, None) if not _AFTER.search(rest) and not _BEFORE.search(rest) else None
    at = _clock(found[0])
    word = found[0]["word"] or ""
    if at is None or not (word or found[0]["half"] or found[0]["minute"]):
        return None
    if _BEFORE.match(word):
        return None, at
    return (at, None) if _AFTER.search(word) else (at, at)


def _clock(match: re.Match[str], half: str = "") -> time | None:
    """From one to six without a word the afternoon is meant: nobody is seen at night. Seven may be either."""
    hour, minute, half = int(match["hour"]), int(match["minute"] or 0), match["half"] or half
    if half.startswith(("a", "p")):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    elif half.startswith("o") or (not half and hour <= 7):
        hour = hour + 12 if 1 <= hour <= 6 else -1 if hour in (0, 7) else hour
    return time(hour, minute) if 0 <= hour <= 23 and minute <= 59 else None
