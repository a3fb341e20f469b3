"""Trouble on demand: rules say which calls go wrong, how, and how often. A seed makes them repeatable."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

POINTS: dict[str, frozenset[str]] = {
    "create": frozenset(
        {"http", "error", "hang", "cut", "accept_then_cut", "accept_then_http", "accept_then_hang", "malformed"}
    ),
    "call": frozenset({"http", "error", "hang", "cut", "accept_then_cut", "malformed"}),
    "recording": frozenset({"http", "error", "hang", "cut", "accept_then_cut", "malformed"}),
    "fetch": frozenset({"http", "error", "hang", "cut", "malformed"}),
    "list": frozenset({"http", "error", "hang", "cut", "malformed"}),
    "media": frozenset({"http", "hang", "cut", "malformed"}),
    "content": frozenset({"http", "error", "hang", "cut", "malformed"}),
    "delivery": frozenset({"fail"}),
    "callback": frozenset({"drop", "duplicate", "reorder", "delay", "bad_signature"}),
    "inbound": frozenset({"drop", "duplicate", "delay", "bad_signature"}),
}
MATCH_KEYS = frozenset({"endpoint", "to", "from", "status", "probability", "first_n", "skip_n"})
MAX_SECONDS = 600.0


class BadRule(ValueError):
    """A rule that cannot be understood; its text says what to change."""


@dataclass
class Rule:
    """One kind of trouble at one point. `match` narrows it, `effect` says what happens."""

    match: dict[str, Any]
    effect: dict[str, Any]
    chance: random.Random
    seen: int = 0
    applied: int = 0

    def strikes(self, facts: dict[str, str]) -> bool:
        """Whether this call goes wrong. Counts the call when it fits."""
        for key in ("to", "from", "status"):
            if key in self.match and self.match[key] != facts.get(key):
                return False
        self.seen += 1
        if self.seen <= self.match.get("skip_n", 0):
            return False
        if self.applied >= self.match.get("first_n", float("inf")):
            return False
        # Drawn for every fitting call, so that the n-th call has the same fate for the same seed.
        if self.chance.random() >= self.match.get("probability", 1.0):
            return False
        self.applied += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """The rule as it was given, and how often it struck."""
        return {"match": self.match, "effect": self.effect, "seen": self.seen, "applied": self.applied}


@dataclass
class Faults:
    """All rules in force."""

    seed: int = 0
    rules: list[Rule] = field(default_factory=list)

    @classmethod
    def read(cls, given: Any) -> Faults:
        """Rules from JSON: a list, or {"seed": 7, "rules": [...]}. Raises BadRule."""
        if isinstance(given, list):
            given = {"rules": given}
        if not isinstance(given, dict) or not isinstance(given.get("rules", []), list):
            raise BadRule('Send a list of rules, or {"seed": 7, "rules": [...]}.')
        seed = given.get("seed", 0)
        if not isinstance(seed, int):
            raise BadRule("seed is a whole number.")
        return cls(seed, [_rule(rule, seed, number) for number, rule in enumerate(given.get("rules", []), 1)])

    def at(self, point: str, **facts: str) -> dict[str, Any] | None:
        """The effect of the first rule that strikes at this point, or None."""
        for rule in self.rules:
            if rule.match["endpoint"] == point and rule.strikes(facts):
                return rule.effect
        return None

    def all_at(self, point: str, **facts: str) -> list[dict[str, Any]]:
        """The effects of every rule that strikes at this point."""
        return [rule.effect for rule in self.rules if rule.match["endpoint"] == point and rule.strikes(facts)]

    def as_dict(self) -> dict[str, Any]:
        """Everything in force, as JSON."""
        return {"seed": self.seed, "rules": [rule.as_dict() for rule in self.rules]}


def _rule(given: Any, seed: int, number: int) -> Rule:
    if not isinstance(given, dict) or not isinstance(given.get("match"), dict):
        raise BadRule(f'Rule {number}: write {{"match": {{"endpoint": "create"}}, "effect": {{"type": "http"}}}}.')
    match, effect = dict(given["match"]), given.get("effect")
    effect = {"type": effect} if isinstance(effect, str) else dict(effect or {})
    point, kind = match.get("endpoint"), effect.get("type")
    if point not in POINTS:
        raise BadRule(f"Rule {number}: endpoint is one of {', '.join(POINTS)}.")
    if kind not in POINTS[point]:
        raise BadRule(f"Rule {number}: effect.type at {point} is one of {', '.join(sorted(POINTS[point]))}.")
    if unknown := set(match) - MATCH_KEYS:
        raise BadRule(f"Rule {number}: match knows {', '.join(sorted(MATCH_KEYS))}; not {', '.join(sorted(unknown))}.")
    _check_numbers(number, match, effect)
    return Rule(match, effect, random.Random(f"{seed}/{number}"))


def _check_numbers(number: int, match: dict[str, Any], effect: dict[str, Any]) -> None:
    for key in ("first_n", "skip_n"):
        if key in match and not (isinstance(match[key], int) and match[key] >= 0):
            raise BadRule(f"Rule {number}: {key} is a whole number from 0.")
    if "probability" in match and not (
        isinstance(match["probability"], int | float) and 0 <= match["probability"] <= 1
    ):
        raise BadRule(f"Rule {number}: probability is between 0 and 1.")
    if effect["type"] in ("fail", "error") and not isinstance(effect.get("code"), int):
        raise BadRule(f"Rule {number}: effect.code is one of Twilio's error codes, such as 30003.")
    if "status" in effect and not (isinstance(effect["status"], int) and 400 <= effect["status"] <= 599):
        raise BadRule(f"Rule {number}: effect.status is an HTTP status from 400 to 599.")
    if "times" in effect and not (isinstance(effect["times"], int) and 1 <= effect["times"] <= 50):
        raise BadRule(f"Rule {number}: effect.times is from 1 to 50.")
    if "seconds" in effect and not (
        isinstance(effect["seconds"], int | float) and 0 <= effect["seconds"] <= MAX_SECONDS
    ):
        raise BadRule(f"Rule {number}: effect.seconds is from 0 to {MAX_SECONDS:.0f}.")
