"""What patients of the clinic complain of, in several states; one was told in confidence."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from complaints.enums import ComplaintProtection, ComplaintVerb
from complaints.forms import SUGGESTED
from complaints.models import Complaint, ComplaintEvent, ComplaintTerm
from complaints.services.registering import acknowledge_by
from complaints.terms import last_day
from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import PastEntry, record_past
from contact_center.aurora.staff import DOMAIN
from inbox.models import Interaction
from inbox.services.interactions import ALPHABET
from patients.enums import Sensitivity

V = ComplaintVerb
MOMENTS = {
    V.ACKNOWLEDGE: "acknowledged_at", V.TRIAGE: "triaged_at", V.START_INVESTIGATION: "investigation_began_at",
    V.PROPOSE_RESPONSE: "proposed_at", V.APPROVE_RESPONSE: "approved_at", V.ANSWER: "answered_at",
    V.FOLLOW_UP: "follow_up_began_at", V.CLOSE: "closed_at", V.ESCALATE: "escalated_at", V.WITHDRAW: "closed_at",
}  # fmt: skip
USUAL = [V.ACKNOWLEDGE, V.TRIAGE, V.START_INVESTIGATION, V.PROPOSE_RESPONSE, V.APPROVE_RESPONSE, V.ANSWER]
NOTES = {
    V.ACKNOWLEDGE: "Called, said sorry once, and who looks into it.",
    V.TRIAGE: "Read with the team lead.",
    V.START_INVESTIGATION: "Asked the front desk and listened to the call.",
    V.PROPOSE_RESPONSE: "Written after the talk with the team.",
    V.APPROVE_RESPONSE: "Plain, kind, and says what changes.",
    V.ANSWER: "Read out on the phone and sent by mail.",
    V.FOLLOW_UP: "What we promised is being done; she is called next week.",
    V.CLOSE: "Called once more: it is good now.",
    V.ESCALATE: "Third time about the same referral.",
    V.WITHDRAW: "Wrote that it has sorted itself out.",
}
RESPONSE = (
    "You are right, and it was our fault. It has been put right, and the people concerned know how to do it from now"
    " on. If anything is still not good, call me: you need not explain it again."
)


class Story(NamedTuple):
    """One complaint: `days` ago, so many moves on its way, and who sees to it."""

    words: str
    wanted: str
    kind: str
    category: str
    severity: str
    days: int
    path: list[ComplaintVerb]
    owner: str = "supervisor"
    protection: str = ComplaintProtection.NONE


STORIES = (
    Story("I waited 50 minutes on the phone and the call dropped twice.", "That somebody calls me back.", "complaint",
          "access", "moderate", 0, []),
    Story("Nobody told me that the office on Brickell is closed on Fridays. I took the bus for nothing.",
          "Write it on the reminder.", "concern", "scheduling", "low", 1, USUAL[:1], "maya.thompson"),
    Story("Two people gave me different advice about fasting and I lost my MRI.",
          "A sure answer on how to prepare, and that it does not happen to someone else.", "grievance",
          "communication", "high", 9, USUAL[:3], "robert.castellanos"),
    Story("It is the third time that I explain it, and the referral was never sent.", "The referral, today.",
          "grievance", "communication", "high", 12, [*USUAL[:2], V.ESCALATE]),
    Story("I was charged for a visit that the clinic cancelled.", "My money back.", "complaint", "billing", "moderate",
          16, USUAL[:4], "claire.dubois"),
    Story("The interpreter did not come, so my daughter of twelve had to translate.", "An interpreter who comes.",
          "complaint", "interpreter", "critical", 20, [*USUAL, V.FOLLOW_UP]),
    Story("The wheelchair at the entrance has been broken for weeks.", "", "concern", "facilities", "low", 30,
          [*USUAL[:2], V.CLOSE], "fabiola.joseph"),
    Story("Wrong name on my discharge papers.", "Papers with my name.", "complaint", "privacy", "moderate", 45,
          [*USUAL, V.CLOSE], "fabiola.joseph"),
    Story("Please tell the nurse who called me on Sunday that she was a light in a bad night.", "", "compliment",
          "attitude", "low", 6, [V.ACKNOWLEDGE, V.CLOSE], "maya.thompson"),
    Story("I could not cancel by phone and was charged the no-show fee.", "The fee back.", "complaint", "access", "low",
          14, [V.ACKNOWLEDGE, V.WITHDRAW], "claire.dubois"),
    Story("A person at the front desk asks me about my family each time. I do not want them to know that I said so.",
          "That it stops.", "complaint", "attitude", "high", 3, USUAL[:2], "supervisor", ComplaintProtection.STAFF),
)  # fmt: skip


def tell(now: datetime) -> None:
    """Write it down with its history and trail, in the caller's transaction; the same for the same patients."""
    for kind, days in (("grievance", 2), ("complaint", 3)):
        ComplaintTerm.objects.create(kind=kind, acknowledge_days=days)
    people = {user.email.partition("@")[0]: user for user in User.objects.filter(email__endswith=f"@{DOMAIN}")}
    plain = Interaction.objects.filter(patient__sensitivity=Sensitivity.NONE, patient__deceased_date=None)
    talks = plain.filter(reason__code="complaint").order_by("-last_message_at", "-pk")
    chosen = {row.patient_id: row for row in [*plain.order_by("-pk")[: 4 * len(STORIES)], *talks[: 3 * len(STORIES)]]}
    rng, trail = random.Random(7_919), list[PastEntry]()
    for story, talk in zip(STORIES, reversed(chosen.values()), strict=False):
        trail += _tell(story, talk, people, rng, now)
    record_past(sorted(trail, key=lambda entry: entry.occurred_at))


def _tell(
    story: Story, talk: Interaction, people: dict[str, User], rng: random.Random, now: datetime
) -> list[PastEntry]:
    began, owner, agent = now - timedelta(days=story.days, hours=2), people[story.owner], people["agent"]
    due = acknowledge_by(story.kind, began, talk)
    row = Complaint(
        reference="Q-" + "".join(rng.choices(ALPHABET, k=7)), patient=talk.patient, interaction=talk,
        received_by=talk.channel_kind, kind=story.kind, category=story.category, severity=story.severity,
        protection=story.protection, words=story.words, wanted=story.wanted, registered_by=agent, owner=owner,
        received_at=began, acknowledge_by_at=due, next_step="Acknowledge the complaint",
        next_step_date=last_day(due),
    )  # fmt: skip
    told = [(V.REGISTER, began, agent, row.status)]
    for number, verb in enumerate(story.path, start=1):
        at = began + (now - began) * number / (len(story.path) + 1)
        _move(row, verb, owner, people["robert.castellanos"])
        setattr(row, MOMENTS[verb], at)
        told.append((verb, at, owner, row.status))
    last = story.path[-1] if story.path else None
    if row.is_over:
        row.next_step, row.next_step_date = "", None
    elif last:
        title, days = SUGGESTED[last]
        row.next_step, row.next_step_date = str(title), timezone.localdate(told[-1][1]) + timedelta(days=days)
    row.save()
    Complaint.objects.filter(pk=row.pk).update(created_at=began)
    ComplaintEvent.objects.bulk_create(
        ComplaintEvent(complaint=row, verb=verb, status=status, actor=actor, at=at, note=NOTES.get(verb, ""))
        for verb, at, actor, status in told
    )
    actions = {V.REGISTER: AuditAction.CREATED, V.CLOSE: AuditAction.CLOSED, V.WITHDRAW: AuditAction.CLOSED}
    return [
        PastEntry(
            at, actor.pk, actions.get(verb, AuditAction.CHANGED), "complaint", row.pk, row.patient_id, {"to": str(verb)}
        )
        for verb, at, actor, _status in told
    ]


def _move(row: Complaint, verb: ComplaintVerb, owner: User, approver: User) -> None:
    if verb == V.PROPOSE_RESPONSE:
        row.propose_response(owner, RESPONSE)
    elif verb == V.APPROVE_RESPONSE:
        row.approve_response(approver)
    elif verb == V.CLOSE and row.answered_at is None:
        row.settle()
    else:
        getattr(row, verb)()
