"""Aurora's saved views: two that everybody has, one of a team, one of an agent's own."""

from contact_center.accounts.models import Team
from contact_center.aurora.setup import Desk
from inbox.models import SavedView


def save_views(desk: Desk) -> None:
    """Save the views. Runs in the seeding's transaction."""
    supervisor, agent = desk.users["supervisor"], desk.users["agent"]
    complaint = {"field": "reason", "is": [str(desk.reasons["feedback"])]}
    urgent = {"field": "priority", "is": ["1", "2"]}
    nurses = Team.objects.get(slug="nurse-line")
    rows = (
        ("Trust at risk", "any", [complaint, {"field": "overdue", "is": ["yes"]}], "longest", None, None),
        ("Portuguese", "all", [{"field": "language", "is": ["pt"]}], "due", None, None),
        ("Urgent and free", "all", [urgent, {"field": "owner", "is": ["nobody"]}], "due", None, nurses),
        ("Strangers who wait", "all", [{"field": "unknown", "is": ["yes"]}, {"field": "waiting", "is": ["yes"]}],
         "longest", agent, None),
    )  # fmt: skip
    for place, (name, match, rules, order, owner, team) in enumerate(rows):
        SavedView.objects.create(
            name=name, conditions={"match": match, "rules": rules}, order=order, owner=owner, team=team,
            created_by=owner or supervisor, position=place,
        )  # fmt: skip
