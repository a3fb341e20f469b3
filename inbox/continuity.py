"""How well one need was carried: how many contacts, ways and people it took, and what had to be told again.

Pure: it counts what it is given. 100 is one contact with one person who asked nothing twice.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

ALIKE = 0.6
MOST_LETTERS = 1500  # of one message: whoever repeats a story says so early
HINTS = (
    *("again", "already", "third", "second", "fourth", "same", "vez", "vece", "nuevo", "novo", "mismo", "mesma"),
    *("ya ", "ja "),
)
PER_CONTACT, PER_CHANNEL, PER_AGENT, PER_QUESTION, PER_COMPLAINT = 4, 4, 8, 15, 25
AGAIN = re.compile(
    r"(third|second|fourth|again|already|same thing|same question)[^.!?]{0,40}(explain|told|tell|said|repeat|ask)"
    r"|(explain|told|tell|said|repeat|ask)(ed|ing|s)?[^.!?]{0,40}(third time|second time|again|same thing|already)"
    r"|(explic|repet|dije|dicho|cont)[^.!?]{0,40}(otra vez|de nuevo|lo mismo|tercera vez|varias veces)"
    r"|(ya|tercera vez|otra vez)[^.!?]{0,30}(expliq|explic|dije|dicho|repet|conte)"
    r"|(explic|repet|falei|disse|cont)[^.!?]{0,40}(outra vez|de novo|a mesma coisa|terceira vez|varias vezes)"
    r"|(ja|terceira vez|outra vez)[^.!?]{0,30}(expliq|explic|falei|disse|repet|contei)"
)


Asked = tuple[frozenset[str], int, int | None]
"""The words of a question, the contact it was asked in, and by whom."""


@dataclass(frozen=True, slots=True)
class Saying:
    """Words of one message or note of a contact; `is_ours` when staff wrote them."""

    at: datetime
    text: str
    is_ours: bool
    agent: int | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """One exchange for the need."""

    channel: str
    agents: frozenset[int]
    sayings: Sequence[Saying] = ()


@dataclass(frozen=True, slots=True)
class Continuity:
    """Counts for one need. `repeated` are questions asked again in another contact or by somebody else."""

    contacts: int
    channels: int
    agents: int
    repeated: list[str] = field(default_factory=list)
    says_so: int = 0

    @property
    def score(self) -> int:
        """0 to 100."""
        lost = (
            PER_CONTACT * max(0, self.contacts - 1)
            + PER_CHANNEL * max(0, self.channels - 1)
            + PER_AGENT * max(0, self.agents - 1)
            + PER_QUESTION * len(self.repeated)
            + PER_COMPLAINT * min(1, self.says_so)
        )
        return max(0, 100 - lost)

    @property
    def is_repeated(self) -> bool:
        """The patient had to tell the story again: they say so, or were asked twice."""
        return bool(self.says_so) or len(self.repeated) >= 2


def continuity_of(contacts: Sequence[Contact]) -> Continuity:
    """The counts for the contacts of one need, in any order."""
    asked: list[Asked] = []
    repeated: list[str] = []
    says_so = 0
    said = [(saying.at, number, saying) for number, one in enumerate(contacts) for saying in one.sayings]
    for _at, number, saying in sorted(said, key=lambda entry: (entry[0], entry[1])):
        if not saying.is_ours:
            says_so += _says_so(plain(saying.text))
            continue
        if "?" not in saying.text:
            continue
        for question in questions_in(saying.text):
            words = frozenset(re.findall(r"\w{3,}", plain(question)))
            if len(words) < 2:
                continue
            if any(_is_again(words, number, saying.agent, earlier) for earlier in asked):
                repeated.append(question)
            else:
                asked.append((words, number, saying.agent))
    return Continuity(
        contacts=len(contacts),
        channels=len({one.channel for one in contacts}),
        agents=len(frozenset().union(*(one.agents for one in contacts))) if contacts else 0,
        repeated=repeated,
        says_so=says_so,
    )


def _says_so(text: str) -> bool:
    """Cheap words first: most messages have none of them, and the patterns are dear."""
    return any(hint in text for hint in HINTS) and AGAIN.search(text) is not None


def _is_again(words: frozenset[str], number: int, agent: int | None, earlier: Asked) -> bool:
    known, contact, who = earlier
    if contact == number and who == agent:
        return False
    return len(words & known) / len(words | known) >= ALIKE


def questions_in(text: str) -> list[str]:
    """The sentences that ask something."""
    return [part.strip(" ¿\n\t") for part in re.findall(r"[^.!?\n¿]{3,240}\?", text[:MOST_LETTERS])]


def plain(text: str) -> str:
    """Lower case, without accents."""
    text = text[:MOST_LETTERS].casefold()
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    return "".join(char for char in parts if not unicodedata.combining(char))
