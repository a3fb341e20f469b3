"""The list: views, segments, orders, filters, pages."""

from datetime import timedelta

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from inbox.models import Mention, Queue
from inbox.selectors import keyset
from tests.factories.inbox import (
    DraftFactory,
    InteractionFactory,
    NoteFactory,
    QueueFactory,
    ReasonFactory,
    TagFactory,
)
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "section#list"}


def page_of(client, query=""):
    answer = client.get(reverse("inbox:rows") + query, headers=HTMX)
    assert answer.status_code == 200
    return answer


def ids(answer):
    return [row.pk for group in answer.context["row_groups"] for row in group["rows"]]


def entries_of(client):
    groups = client.get(reverse("inbox:views"), headers=HTMX).context["view_groups"]
    return {entry.key: entry for group in groups for entry in group["entries"]}


def test_what_is_snoozed_rests_in_its_own_view_with_the_next_to_wake_on_top(agent, sms_channel, signed_in):
    now = timezone.now()
    rested = [
        InteractionFactory(
            channel=sms_channel, owner=agent, status="snoozed", snoozed_until_at=now + timedelta(hours=h)
        )
        for h in (20, 2)
    ]
    awake = InteractionFactory(channel=sms_channel, owner=agent)
    client = signed_in(agent)
    assert ids(page_of(client, "?view=snoozed")) == [rested[1].pk, rested[0].pk]
    assert ids(page_of(client, "?view=mine")) == [awake.pk]
    assert ids(page_of(client, f"?view=queue-{awake.queue_id}")) == [awake.pk]
    counts = {key: entry.count for key, entry in entries_of(client).items()}
    assert (counts["snoozed"], counts["mine"], counts["open"], counts["channel-sms"]) == (2, 1, 3, 1)


def test_done_today_holds_what_was_closed_since_midnight_newest_first(agent, sms_channel, signed_in):
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = [
        InteractionFactory(channel=sms_channel, status="closed", closed_at=midnight + timedelta(seconds=s))
        for s in (0, 1)
    ]
    InteractionFactory(channel=sms_channel, status="closed", closed_at=midnight - timedelta(seconds=1))
    client = signed_in(agent)
    assert ids(page_of(client, "?view=done")) == [today[1].pk, today[0].pk]
    assert entries_of(client)["done"].count == 2


def test_a_mention_stands_in_its_view_and_counts_until_it_was_seen(agent, other_queue, sms_channel, signed_in):
    elsewhere = InteractionFactory(channel=sms_channel, queue=other_queue)
    note = NoteFactory(interaction=elsewhere)
    mention = Mention.objects.create(note=note, interaction=elsewhere, user=agent)
    client = signed_in(agent)
    assert (ids(page_of(client, "?view=mentions")), entries_of(client)["mentions"].count) == ([elsewhere.pk], 1)
    mention.seen_at = timezone.now()
    mention.save()
    assert (ids(page_of(client, "?view=mentions")), entries_of(client)["mentions"].count) == ([elsewhere.pk], 0)


def test_a_mention_shows_nothing_sensitive_to_a_partner(partner_agent, partner_queue, sms_channel, signed_in):
    secret = InteractionFactory(
        channel=sms_channel, queue=partner_queue, reason=ReasonFactory(is_sensitive=True), owner=partner_agent
    )
    Mention.objects.create(note=NoteFactory(interaction=secret), interaction=secret, user=partner_agent)
    assert ids(page_of(signed_in(partner_agent), "?view=mentions")) == []


def test_a_view_in_which_somebody_waits_too_long_is_marked(agent, sms_channel, whatsapp_channel, signed_in):
    now = timezone.now()
    InteractionFactory(channel=sms_channel, owner=agent, waiting_since_at=now - timedelta(minutes=20))
    InteractionFactory(channel=whatsapp_channel, waiting_since_at=now - timedelta(minutes=40))
    with override_settings(LATE_AFTER_SECONDS=1800):
        late = {key for key, entry in entries_of(signed_in(agent)).items() if entry.is_late}
    assert late == {"unassigned", "open", f"queue-{sms_channel.queue_id}", "channel-whatsapp"}


def test_the_segments_show_what_is_unread_and_what_is_mine(agent, second_agent, sms_channel, signed_in):
    mine = InteractionFactory(channel=sms_channel, owner=agent, unread_count=0)
    unread = InteractionFactory(channel=sms_channel, owner=second_agent, unread_count=3)
    client = signed_in(agent)
    assert set(ids(page_of(client, "?view=open"))) == {mine.pk, unread.pk}
    assert ids(page_of(client, "?view=open&show=unread")) == [unread.pk]
    assert ids(page_of(client, "?view=open&show=mine")) == [mine.pk]
    assert page_of(client, "?view=open").context["look_counts"] == {"all": 2, "unread": 1}


def test_the_orders_are_due_first_newest_and_longest_waiting(agent, sms_channel, signed_in):
    now = timezone.now()
    make = lambda **values: InteractionFactory(channel=sms_channel, owner=agent, **values).pk  # noqa: E731
    urgent = make(priority=1, waiting_since_at=now, last_message_at=now - timedelta(hours=3))
    long = make(waiting_since_at=now - timedelta(hours=2), last_message_at=now - timedelta(hours=2))
    answered = make(waiting_since_at=None, last_message_at=now)
    client = signed_in(agent)
    assert ids(page_of(client, "?view=mine")) == [urgent, long, answered]
    assert ids(page_of(client, "?view=mine&order=longest")) == [long, urgent, answered]
    assert sorted(ids(page_of(client, "?view=mine&order=newest"))) == sorted([answered, long, urgent])
    found = page_of(client, "?view=mine&order=newest").context["page"].object_list
    assert [row.pk for row in found] == [answered, long, urgent]


def test_a_filter_narrows_the_view_and_each_chip_takes_its_value_away(agent, sms_channel, whatsapp_channel, signed_in):
    tag = TagFactory(name="Interpreter")
    wanted = InteractionFactory(channel=sms_channel, owner=agent, language="es")
    wanted.tags.add(tag)
    InteractionFactory(channel=sms_channel, owner=agent, language="en")
    InteractionFactory(channel=whatsapp_channel, owner=agent, language="es")
    answer = page_of(signed_in(agent), f"?view=mine&channel=sms&language=es&tag={tag.pk}")
    assert ids(answer) == [wanted.pk]
    assert [(chip["label"], chip["query"]) for chip in answer.context["chips"]] == [
        ("Channel: SMS", f"view=mine&language=es&tag={tag.pk}"),
        ("Language: Spanish", f"view=mine&channel=sms&tag={tag.pk}"),
        ("Tag: Interpreter", "view=mine&channel=sms&language=es"),
    ]


def test_a_filter_never_shows_what_the_view_alone_would_not(agent, other_queue, sms_channel, signed_in):
    InteractionFactory(channel=sms_channel, queue=other_queue)
    answer = page_of(signed_in(agent), f"?view=open&queue={other_queue.pk}")
    chip = answer.context["chips"][0]
    assert (ids(answer), chip["label"], other_queue.name in answer.content.decode()) == (
        [],
        "Queue: one you do not serve",
        False,
    )


@pytest.mark.parametrize(
    "query",
    [
        "?view=queue-99999999999999999999",
        "?view=saved-7",
        "?view=%00",
        "?view=mine&order=-password&show=everything&after=-3",
        "?view=mine&queue=1)%20OR%201=1&language=%27;--&priority=%E2%91%A0&owner=%F0%9F%91%BB",
        "?view=mine&after=t99999999999999999_0_n_t1_99999999999999999999&"
        + "&".join(f"tag={n}" for n in range(1, 400)),
        "?view=closed&show=unread&channel=sms",
        "?view=mine&language=" + "x" * 5000,
    ],
)
def test_absurd_addresses_are_answered_with_a_list(query, agent, sms_channel, signed_in):
    InteractionFactory(channel=sms_channel, owner=agent)
    assert page_of(signed_in(agent), query).context["page"].is_first is True


def test_a_view_that_is_gone_says_so(agent, sms_channel, signed_in):
    answer = page_of(signed_in(agent), "?view=saved-77")
    assert "That view is no longer there." in answer.content.decode()


def test_the_filter_offers_only_what_the_person_may_see(partner_agent, partner_queue, other_queue, signed_in):
    ReasonFactory(name="Violence at home", is_sensitive=True)
    page = signed_in(partner_agent).get(reverse("inbox:filter"), headers=HTMX).content.decode()
    assert (partner_queue.name in page, other_queue.name in page, "Violence at home" in page) == (True, False, False)


@pytest.mark.parametrize("query", ["?view=open", "?view=open&channel=sms&language=es&unread=yes", "?view=done"])
def test_fifty_rows_ask_as_many_questions_of_the_database_as_one(
    query, agent, sms_channel, signed_in, django_assert_max_num_queries
):
    client = signed_in(agent)

    def add(count):
        for number in range(count):
            owner = agent if number % 2 else None
            state = {"status": "closed", "closed_at": timezone.now()} if "done" in query else {}
            row = InteractionFactory(
                channel=sms_channel, patient=PatientFactory(), language="es", unread_count=1, reason=ReasonFactory(),
                owner=owner, **state,
            )  # fmt: skip
            row.tags.add(TagFactory())

    def queries():
        page_of(client, query)
        with django_assert_max_num_queries(40) as captured:
            answer = page_of(client, query)
        return len(captured), len(ids(answer))

    add(1)
    one = queries()
    add(49)
    assert (one[1], queries()) == (1, (one[0], 50))


def test_more_queues_cost_no_more_questions(agent, team, sms_channel, signed_in, django_assert_max_num_queries):
    client = signed_in(agent)
    entries_of(client)
    with django_assert_max_num_queries(40) as few:
        entries_of(client)
    for _ in range(10):
        InteractionFactory(channel=sms_channel, queue=QueueFactory(teams=[team]))
    with django_assert_max_num_queries(40) as many:
        entries_of(client)
    assert (len(many), Queue.objects.count()) == (len(few), 11)


def test_what_one_has_begun_to_write_stands_in_drafts_also_after_it_is_closed(
    agent, second_agent, signed_in, sms_channel
):
    begun = InteractionFactory(channel=sms_channel, owner=agent)
    closed = InteractionFactory(channel=sms_channel, status="closed")
    for row in (begun, closed):
        DraftFactory(interaction=row, author=agent)
    DraftFactory(interaction=InteractionFactory(channel=sms_channel), author=second_agent)
    hidden = DraftFactory(author=agent)
    client = signed_in(agent)
    answer = page_of(client, "?view=drafts")
    assert sorted(ids(answer)) == sorted([begun.pk, closed.pk])
    assert (entries_of(client)["drafts"].count, hidden.interaction.pk in ids(answer)) == (2, False)
    assert [group["title"] for group in answer.context["row_groups"]] == ["Drafts"]


@pytest.mark.parametrize(
    "query",
    ["view=open", "view=open&order=newest", "view=open&order=longest", "view=snoozed", "view=done", "view=closed"],
)
def test_pages_that_begin_behind_a_row_hold_each_row_once_in_the_order_of_the_whole(
    agent, sms_channel, signed_in, monkeypatch, query
):
    now, view = timezone.now(), query.split("&")[0].removeprefix("view=")
    status = {"snoozed": "snoozed", "done": "closed", "closed": "closed"}.get(view)
    for number in range(9):
        InteractionFactory(
            channel=sms_channel,
            owner=agent,
            status=status or "active",
            priority=number % 2 + 1,
            waiting_since_at=None if number % 3 == 0 else now - timedelta(hours=number // 4),
            last_message_at=now - timedelta(hours=number // 3),
            snoozed_until_at=None if number == 4 else now + timedelta(hours=number // 3),
            closed_at=now - timedelta(seconds=number // 3) if status == "closed" else None,
        )
    client = signed_in(agent)
    whole = [row.pk for row in page_of(client, f"?{query}").context["page"].object_list]
    monkeypatch.setattr(keyset, "PAGE_SIZE", 2)
    found, after = [], ""
    for _page in range(9):
        page = page_of(client, f"?{query}{after}").context["page"]
        found += [row.pk for row in page.object_list]
        after = f"&after={page.next_place}"
        if not page.has_next:
            break
    assert (found, len(found)) == (whole, 9)


def test_rows_that_come_on_top_meanwhile_shift_no_page(agent, sms_channel, signed_in, monkeypatch):
    monkeypatch.setattr(keyset, "PAGE_SIZE", 2)
    now = timezone.now()
    rows = [InteractionFactory(channel=sms_channel, owner=agent, last_message_at=now - timedelta(n)) for n in range(4)]
    client = signed_in(agent)
    first = page_of(client, "?view=mine&order=newest")
    InteractionFactory(channel=sms_channel, owner=agent, last_message_at=now + timedelta(1))
    address = f"?view=mine&order=newest&after={first.context['page'].next_place}"
    second = page_of(client, address)
    assert [row.pk for row in second.context["page"].object_list] == [rows[2].pk, rows[3].pk]
    assert "Back to the top" in second.content.decode()
    assert f"after={first.context['page'].next_place}" in second.content.decode().partition("data-refetch-url")[2][:300]
