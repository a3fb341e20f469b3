"""What people can do and carry, over HTTP: kept, brought back, and never over what somebody else saved."""

import pytest

from contact_center.accounts.models import UserSkill
from contact_center.audit.models import AuditEntry
from inbox.models import AgentCapacity, AgentState, SetupVersion
from inbox.services.abilities import most_open_of
from tests.factories.accounts import SkillFactory

pytestmark = pytest.mark.django_db


def held(person):
    """Levels, numbers by kind, and how many at once in all."""
    return (
        list(UserSkill.objects.filter(user=person).order_by("skill").values_list("skill", "level")),
        dict(AgentCapacity.objects.filter(user=person).values_list("channel_kind", "most")),
        most_open_of(person),
    )


def test_skills_and_capacity_are_kept_and_an_earlier_state_is_brought_back(supervisor, agent, signed_in):
    browser, spanish, nurse = signed_in(supervisor), SkillFactory(), SkillFactory()
    UserSkill.objects.create(user=agent, skill=spanish, level=2)
    path = f"/settings/people/{agent.pk}/"
    given = {f"level_{spanish.pk}": "4", f"level_{nurse.pk}": "5", "most_email": "0", "most_open": "6", "seen": "0"}
    assert browser.post(path, given).status_code == 302
    assert held(agent) == ([(spanish.pk, 4), (nurse.pk, 5)], {"email": 0}, 6)
    first = SetupVersion.objects.filter(kind="abilities", object_id=agent.pk).order_by("pk").first()
    assert browser.post(path, {"version": first.pk}).status_code == 302
    assert held(agent) == ([(spanish.pk, 2)], {}, 8)
    assert AuditEntry.objects.filter(object_type="abilities", object_id=agent.pk).count() == 2
    assert AgentState.objects.get(user=agent).seen_at is None
    assert "Brought back" in browser.get(path).content.decode()
    assert agent.first_name in browser.get("/settings/people/").content.decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"most_open": "-1"}, "most_open"), ({"most_open": ""}, "most_open"), ({"most_voice": "2"}, "most_voice"),
     ({"most_sms": "51"}, "most_sms"), ({"level": "6"}, "level")],
)  # fmt: skip
def test_what_nobody_can_carry_is_refused_at_its_field(change, field, supervisor, agent, signed_in):
    skill = SkillFactory()
    given = {"most_open": "8"} | {name.replace("level", f"level_{skill.pk}"): text for name, text in change.items()}
    answer = signed_in(supervisor).post(f"/settings/people/{agent.pk}/", given)
    assert (answer.status_code, list(answer.context["form"].errors)) == (
        422,
        [field.replace("level", f"level_{skill.pk}")],
    )
    assert held(agent) == ([], {}, 8)


def test_nobody_writes_over_what_they_did_not_see_and_a_stranger_has_no_page(supervisor, agent, auditor, signed_in):
    browser, path = signed_in(supervisor), f"/settings/people/{agent.pk}/"
    browser.post(path, {"most_open": "5", "seen": "0"})
    late = browser.post(path, {"most_open": "3", "seen": "0"})
    assert (late.status_code, held(agent)[2]) == (409, 5)
    other = browser.post(path, {"version": "99999"})
    assert (other.status_code, browser.get(f"/settings/people/{auditor.pk}/").status_code) == (404, 404)
