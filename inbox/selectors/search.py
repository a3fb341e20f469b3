"""Who and what a text means: conversations by receipt number, address and words; cases; never beyond what is visible.

Words are looked up in two ways. Of rare ones the index knows every message; of common ones the newest messages are
walked, since the index would gather hundreds of thousands to show eight. The planner's estimate decides, and every
walk is bounded, so that a wrong estimate costs milliseconds.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.highlight import marked
from contact_center.common.prepared import Given, planned, prepared
from inbox.models import Case, Interaction, Message, MessageWords, Note
from inbox.selectors.interactions import asked_by, interactions_visible_to, rows
from inbox.selectors.list_rows import ListRow
from inbox.selectors.note_search import Seen, find_notes, notes_saying, seen_in
from inbox.selectors.setup import cases_visible_to
from patients.models import Patient
from patients.numbers import normalise_email, normalise_phone, phone_variants

MOST_TEXT = 200
REFERENCE = re.compile(r"[A-Za-z]-?[0-9A-Za-z]{3,12}")
FEWEST_LETTERS = 2
FEWEST_DIGITS = 4
RARE, MIDDLING = 500, 5_000
SPAN = 10_000  # the first one; each is twice the one before
MOST_SPANS = 4
FIRST, CHUNK = 40, 300


@dataclass(slots=True)
class Hit:
    """One conversation, where it fits (`receipt`, `address`, `message`, `note`, `patient`) and the words around the
    place."""

    interaction: Interaction | ListRow
    where: str
    snippet: SafeString | str = ""

    @property
    def label(self) -> str:
        """Where it fits, in words."""
        names = {"receipt": _("Receipt number"), "address": _("Address"), "message": _("Message")}
        return (names | {"note": _("Private note")}).get(self.where, "")


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing of an app above, found by its number: `kind` and id for the trail, words and address for the list."""

    kind: str
    pk: int
    title: str
    words: str
    url: str
    icon: str


_finders: list[Callable[[User, str, int], list[Matter]]] = []


def register_finder(finder: Callable[[User, str, int], list[Matter]]) -> None:
    """Add a way to find things of an app above by number: `finder(user, text, limit)` gives what the person may see.
    It is asked only for texts that look like a reference."""
    if finder not in _finders:
        _finders.append(finder)


def find_matters(user: User, text: str, *, limit: int) -> list[Matter]:
    """What apps above have under this reference or a longer one."""
    if not REFERENCE.fullmatch(text):
        return []
    return [matter for finder in _finders for matter in finder(user, text, limit)][:limit]


@dataclass(slots=True)
class Found:
    """What a search found, group by group. `late` names the groups whose time ran out."""

    patients: list[Patient] = field(default_factory=list)
    conversations: list[Hit] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    matters: list[Matter] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    newest_of: dict[int, int] = field(default_factory=dict)
    """Per patient the id of their newest visible conversation, where there is one."""
    newest_in: dict[int, int] = field(default_factory=dict)
    """The same per case."""

    def __bool__(self) -> bool:
        return bool(self.patients or self.conversations or self.cases or self.matters)


def clean(text: str) -> str:
    """What is really asked for; empty for what is too short to ask for."""
    text = " ".join(text.replace("\x00", " ").split())[:MOST_TEXT]
    return text if sum(char.isalnum() for char in text) >= FEWEST_LETTERS else ""


def find_conversations(user: User, text: str, *, limit: int) -> list[Hit]:
    """Visible conversations by receipt number, then by the sender's address, then by what was said, then by private
    notes; newest first."""
    if not can(user, Action.WORK_INBOX):
        return []
    visible = interactions_visible_to(user)
    of_receipt = _of_receipt(user.role, limit).tuples(*asked_by(user), text.upper())
    ids = dict.fromkeys((pk for (pk,) in of_receipt), "receipt")
    by_address = _by_address(visible, text)
    if by_address is not None:
        newest = by_address.order_by("-last_message_at", "-id").values_list("pk", flat=True)[:limit]
        ids |= dict.fromkeys((pk for pk in newest if pk not in ids), "address")
    messages: dict[int, int] = {}
    notes: dict[int, int] = {}
    question, asked = _ids_among(user.role), asked_by(user)

    def seen(ids_among: list[int]) -> set[int]:
        return {pk for (pk,) in question.tuples(*asked, ids_among)}

    if len(ids) < limit:
        messages = find_words(seen, text, limit=limit)
        ids |= dict.fromkeys((pk for pk in messages if pk not in ids), "message")
    if len(ids) < limit:
        notes = find_notes(seen, text, limit=limit)
        ids |= dict.fromkeys((pk for pk in notes if pk not in ids), "note")
    return _hits(user, dict(list(ids.items())[:limit]), messages, notes, text)


@prepared  # its index leaves out empty numbers, so it is of use only where the number is known to the planner
def _of_receipt(role: str, limit: int) -> QuerySet[Interaction]:
    """After the asker: of the number."""
    found = interactions_visible_to(asker(role)).filter(reference=Given(Asker.NEXT)).order_by()
    return found.values_list("pk")[:limit]  # type: ignore[return-value]


@planned
def _ids_among(role: str) -> QuerySet[Interaction]:
    """After the asker: among the ids."""
    found = interactions_visible_to(asker(role)).filter(pk__any_of=Given(Asker.NEXT)).order_by()
    return found.values_list("pk")  # type: ignore[return-value]


@planned
def _shown(role: str) -> QuerySet[Interaction]:
    """After the asker: among the ids."""
    return rows(interactions_visible_to(asker(role)).filter(pk__any_of=Given(Asker.NEXT))).order_by()


@planned
def _texts() -> QuerySet[Message]:
    """Of the ids 0."""
    return Message.objects.filter(pk__any_of=Given(0)).only("text", "subject").order_by()


def _hits(user: User, ids: dict[int, str], messages: dict[int, int], notes: dict[int, int], text: str) -> list[Hit]:
    if not ids:
        return []
    known = {row.pk: row for row in _shown(user.role).ask(*asked_by(user), list(ids))}
    wanted = {messages[pk]: pk for pk, where in ids.items() if where == "message"}
    said = {wanted[row.pk]: row for row in _texts().ask(list(wanted))} if wanted else {}
    wanted = {notes[pk]: pk for pk, where in ids.items() if where == "note"}
    noted = Note.objects.filter(pk__in=wanted).values_list("interaction_id", "body") if wanted else ()
    bodies = dict(noted)
    found = []
    for pk, where in ids.items():
        if pk in known:
            row = known[pk]
            words = {"receipt": row.reference, "address": row.contact_value, "note": bodies.get(pk, "")}.get(where)
            words = words or words_said(said.get(pk))
            found.append(Hit(row, where, marked(words, text)))
    return found


def words_said(message: Message | None) -> str:
    """Subject and text of a message, as they are searched."""
    return f"{message.subject} {message.text}".strip() if message else ""


def _by_address(visible: QuerySet[Interaction], text: str) -> QuerySet[Interaction] | None:
    if "@" in text:
        return visible.filter(contact_value=normalise_email(text) or text.lower())
    digits = phone_digits(text)
    if not digits:
        return None
    phone = normalise_phone(text, settings.DEFAULT_PHONE_REGION)
    if phone and phone.is_valid:
        return visible.filter(contact_value__in=phone_variants(phone.e164))
    return visible.filter(patient__isnull=True, contact_value__contains=digits)


def phone_digits(text: str) -> str:
    """The digits of a text that may be (a part of) a phone number; empty for other texts."""
    number = text.lower().removeprefix("whatsapp:").removeprefix("tel:")
    digits = re.sub(r"\D", "", number)
    if len(digits) < FEWEST_DIGITS or re.search(r"[^\W\d_]", number) or not digits.isascii():
        return ""
    bare = digits.lstrip("0")
    return bare if len(bare) >= FEWEST_DIGITS else digits


def find_words(seen: Seen, text: str, *, limit: int) -> dict[int, int]:
    """Per conversation that is `seen`, with these words in a message, its newest such message, newest first."""
    found: dict[int, int] = {}
    for pairs in _candidates(text):
        fresh = {interaction: message for message, interaction in reversed(pairs) if interaction not in found}
        shown = seen(list(fresh)) if fresh else set()
        for message, interaction in pairs:
            if interaction in shown:
                found.setdefault(interaction, message)
        if len(found) >= limit:
            break
    return dict(list(found.items())[:limit])


def _candidates(text: str) -> Iterable[list[tuple[int, int]]]:
    """Messages with these words and their conversations, newest first, some at a time, whoever may see them.

    Reading some thousand rows wherever they lie costs seconds when they are not in memory, so the index is asked for
    all of them only where they turn out to be a few hundred, or where the newest messages did not have enough.
    """
    estimate, below = _estimate(text), None
    if estimate <= MIDDLING:
        ids = _by_index(text, RARE + 1)
        if len(ids) <= RARE:
            yield from _some_at_a_time(ids)
            return
    walked = 0
    for pairs, floor in _walk(text):
        walked, below = walked + len(pairs), floor
        yield pairs
    if below and (estimate <= MIDDLING or not walked):
        yield from _some_at_a_time([pk for pk in _by_index(text, 10 * MIDDLING) if pk <= below])


def _by_index(text: str, most: int) -> list[int]:
    return sorted((pk for (pk,) in _indexed(most).tuples(text)), reverse=True)


@prepared
def _indexed(most: int) -> QuerySet[MessageWords]:
    """With the words 0."""
    return MessageWords.objects.filter(words__mean=Given(0)).order_by().values_list("pk")[:most]  # type: ignore[return-value]


def _some_at_a_time(ids: list[int]) -> Iterable[list[tuple[int, int]]]:
    size, start = FIRST, 0
    while start < min(len(ids), MOST_SPANS * CHUNK):
        yield _paired(ids[start : start + size])
        start, size = start + size, CHUNK


def _walk(text: str) -> Iterable[tuple[list[tuple[int, int]], int]]:
    """The newest messages span by span; with each the id down to which was looked, 0 after the oldest."""
    top = next((pk for (pk,) in _newest_words().tuples()), 0)
    for number in range(MOST_SPANS):
        floor = max(top - SPAN * 2**number, 0)
        ids = [pk for (pk,) in _span(CHUNK).tuples(floor, top, text)]
        top = ids[-1] - 1 if len(ids) == CHUNK else floor
        yield _paired(ids), top
        if top <= 0:
            return


@prepared
def _newest_words() -> QuerySet[MessageWords]:
    return MessageWords.objects.order_by("-pk").values_list("pk")[:1]  # type: ignore[return-value]


@prepared
def _span(most: int) -> QuerySet[MessageWords]:
    """Behind the message 0 up to the message 1, with the words 2."""
    found = MessageWords.objects.filter(pk__gt=Given(0), pk__lte=Given(1), words__mean=Given(2))
    return found.order_by("-pk").values_list("pk")[:most]  # type: ignore[return-value]


def _paired(ids: list[int]) -> list[tuple[int, int]]:
    whose = dict(_whose().tuples(ids)) if ids else {}
    return [(pk, whose[pk]) for pk in ids if pk in whose]


@planned
def _whose() -> QuerySet[Message]:
    """Of the ids 0."""
    found = Message.objects.filter(pk__any_of=Given(0)).order_by()
    return found.values_list("pk", "interaction_id")  # type: ignore[return-value]


def _estimate(text: str) -> int:
    """How many messages the planner believes to have these words."""
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (FORMAT JSON) SELECT 1 FROM inbox_messagewords WHERE words @@ continuo_query(%s)", [text]
        )
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return int(plan[0]["Plan"]["Plan Rows"])


def find_cases(user: User, text: str, patients: list[Patient], *, limit: int) -> list[Case]:
    """Visible cases of that reference or a longer one, then open ones of these patients."""
    candidates: set[int] = set()
    if patients:
        candidates |= {pk for (pk,) in _cases_of().tuples([patient.pk for patient in patients])}
    if REFERENCE.fullmatch(text):
        candidates |= set(Case.objects.filter(reference__startswith=text.upper()).values_list("pk", flat=True)[:50])
    if not candidates or not can(user, Action.WORK_INBOX):
        return []
    found = _visible_cases(user.role).ask(*asked_by(user), list(candidates))
    return sorted(found, key=lambda case: (not case.reference.startswith(text.upper()), -case.pk))[:limit]


@planned
def _cases_of() -> QuerySet[Case]:
    """Of the patients 0."""
    return Case.objects.filter(patient__any_of=Given(0)).order_by("-pk").values_list("pk")[:50]  # type: ignore[return-value]


@planned
def _visible_cases(role: str) -> QuerySet[Case]:
    """After the asker: among the ids."""
    among = Given(Asker.NEXT)
    found = cases_visible_to(asker(role), among=among).filter(pk__any_of=among)
    return found.select_related("patient", "owner").order_by()


def newest_conversations(user: User, *, by: str, among: Collection[int]) -> dict[int, int]:
    """Per patient or case (`by`) of these ids the newest conversation the person may see."""
    if not can(user, Action.WORK_INBOX):
        return {}
    return dict(_newest(user.role, by).tuples(*asked_by(user), list(among)))


@planned
def _newest(role: str, by: str) -> QuerySet[Interaction]:
    """After the asker: of the patients or cases (`by`)."""
    key = f"{by}_id"
    found = interactions_visible_to(asker(role)).filter(**{f"{by}__any_of": Given(Asker.NEXT)})
    newest = found.order_by(key, "-last_message_at", "-id").distinct(key)
    return newest.values_list(key, "pk")  # type: ignore[return-value]


# ---- within one view of the list ----
def matching(
    found: QuerySet[Interaction], text: str, patient_ids: list[int], *, is_past: bool
) -> QuerySet[Interaction]:
    """Of these rows those of the patients, of that receipt number or address, or with these words.

    Of what is done, which is without end, the newest few hundred; of what is open, all.
    """
    if is_past:
        seen = seen_in(found.order_by())
        ids = {*find_words(seen, text, limit=CHUNK), *find_notes(seen, text, limit=CHUNK)}
        by_address = _by_address(found.order_by(), text)
        for part in (by_address, found.order_by().filter(_named(text, patient_ids))):
            if part is not None:
                ids |= set(part.order_by("-last_message_at", "-id").values_list("pk", flat=True)[:CHUNK])
        return found.filter(pk__in=ids)
    meant = _named(text, patient_ids) | Q(contact_value__icontains=phone_digits(text) or text)
    said = MessageWords.objects.filter(message__interaction=OuterRef("pk"), words__mean=text)
    noted = Q(pk__in=list(find_notes(seen_in(found.order_by()), text, limit=CHUNK)))
    return found.filter(meant | noted | Q(contact_name__icontains=text) | Exists(said))


def _named(text: str, patient_ids: list[int]) -> Q:
    return Q(patient_id__in=patient_ids) | Q(reference=text.upper())


def mark(page: list[ListRow], text: str) -> None:
    """Give each of these rows its `hit`: where it fits and the words around the place. Three queries."""
    shown = [row.pk for row in page]
    by_words = MessageWords.objects.filter(message__interaction__in=shown, words__mean=text)
    newest = by_words.order_by("message__interaction_id", "-pk").distinct("message__interaction_id")
    said = Message.objects.filter(pk__in=newest.values("pk")).only("text", "subject", "interaction_id")
    messages = {message.interaction_id: message for message in said}
    noted = dict(notes_saying(text).filter(interaction__in=shown).order_by("pk").values_list("interaction_id", "body"))
    for row in page:
        if row.reference and row.reference == text.upper():
            hit = Hit(row, "receipt", marked(row.reference, text))
        elif row.pk in messages:
            hit = Hit(row, "message", marked(words_said(messages[row.pk]), text))
        elif row.pk in noted:
            hit = Hit(row, "note", marked(noted[row.pk], text))
        else:
            hit = Hit(row, "patient" if row.patient_id else "address")
        row.hit = hit
