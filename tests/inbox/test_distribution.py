"""Who is offered what, as a pure decision: order, skills, capacity, fairness; nobody and nothing is left out."""

from collections import Counter, defaultdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.distribution import AGING_SECONDS, Agent, Pair, SkillNeed, Work, aged, decide

NOW = 1_000_000.0
URGENT, HIGH, NORMAL, LOW = 1, 2, 3, 4


def agent(pk=1, *, queues=(1,), idle=NOW - 60, **fields):
    return Agent(pk, frozenset(queues), idle, **fields)


def work(pk=1, *, queue=1, kind="sms", priority=NORMAL, waited=10.0, **fields):
    return Work(pk, queue, kind, priority, NOW - waited, **fields)


def first(works, *, now=NOW, **fields):
    """Ids of the work in the order in which one agent is offered it."""
    left, order = list(works), []
    while pairs := decide([agent(**fields)], left, now):
        order.append(pairs[0].work_id)
        left = [one for one in left if one.id != pairs[0].work_id]
    return order


def asked(agents, one, now=NOW):
    """Ids of whom it is offered to, if each before says no."""
    order, barred = [], set()
    while pairs := decide(agents, [Work(*_fields(one), barred=frozenset(barred))], now):
        order.append(pairs[0].agent_id)
        barred.add(pairs[0].agent_id)
    return order


def _fields(one):
    return one.id, one.queue_id, one.kind, one.priority, one.since, one.due_at, one.needs, one.last_agent_id


def test_priority_then_calls_then_the_nearest_deadline_then_the_longest_wait():
    works = [
        work(1, waited=50),
        work(2, waited=90),
        work(3, due_at=NOW + 60),
        work(4, due_at=NOW - 5),
        work(5, kind="voice", waited=1),
        work(6, priority=URGENT, waited=1),
        work(7, priority=LOW, waited=500),
    ]
    assert first(works) == [6, 5, 4, 3, 2, 1, 7]


def test_waiting_raises_work_up_to_high_and_the_urgent_stays_first():
    assert [aged(LOW, AGING_SECONDS * steps) for steps in (0, 0.9, 1, 2, 3, 9)] == [LOW, LOW, NORMAL, HIGH, HIGH, HIGH]
    assert aged(URGENT, AGING_SECONDS * 99) == URGENT
    assert first([work(1, priority=HIGH), work(2, priority=LOW, waited=2 * AGING_SECONDS)]) == [2, 1]
    assert first([work(1, priority=URGENT), work(2, priority=LOW, waited=9 * AGING_SECONDS)]) == [1, 2]


def test_the_last_agent_is_asked_first_then_the_least_laden_then_the_longest_idle():
    people = [
        agent(1, idle=NOW - 10),
        agent(2, idle=NOW - 90),
        agent(3, idle=NOW - 500, load={"sms": 2}),
        agent(4, idle=NOW - 5, load={"sms": 3}),
    ]
    assert asked(people, work()) == [2, 1, 3, 4]
    assert asked(people, work(last_agent_id=4)) == [4, 2, 1, 3]


@pytest.mark.parametrize(
    "last", [agent(9, load={"sms": 4}), agent(9, is_asked=True), agent(9, queues=(2,)), agent(9, load={"voice": 1})]
)
def test_a_last_agent_who_is_not_free_is_not_waited_for(last):
    assert decide([last, agent(1)], [work(last_agent_id=9)], NOW) == [Pair(1, 1)]


def test_nobody_who_said_no_is_asked_again():
    assert decide([agent(1), agent(2)], [work(barred=frozenset({1}), last_agent_id=1)], NOW) == [Pair(1, 2)]
    assert decide([agent(1)], [work(barred=frozenset({1}))], NOW) == []


@pytest.mark.parametrize(("waited", "able"), [(0, [3]), (29, [3]), (30, [2, 3]), (59, [2, 3]), (60, [1, 2, 3])])
def test_what_is_asked_of_skills_falls_with_waiting(waited, able):
    people = [agent(1), agent(2, skills={7: 1}), agent(3, skills={7: 4})]
    asks = work(waited=waited, needs=(SkillNeed(7, 2, 30),))
    assert sorted(asked(people, asks)) == able


def test_a_licence_never_relaxes():
    asks = work(waited=10**6, needs=(SkillNeed(7, 3),))
    assert decide([agent(1, skills={7: 2})], [asks], NOW) == []
    assert decide([agent(1, skills={7: 3})], [asks], NOW) == [Pair(1, 1)]


@pytest.mark.parametrize(
    ("load", "kind", "fits"),
    [
        ({}, "sms", True),
        ({"sms": 3}, "sms", True),
        ({"sms": 4}, "sms", False),
        ({"sms": 4}, "email", True),
        ({"sms": 4, "whatsapp": 4}, "email", False),
        ({"voice": 1}, "sms", False),
        ({"voice": 1}, "voice", False),
        ({"sms": 4, "whatsapp": 4}, "voice", True),
    ],
)
def test_a_call_fills_a_person_and_written_work_does_not_keep_a_call_away(load, kind, fits):
    assert bool(decide([agent(load=load)], [work(kind=kind)], NOW)) is fits


def test_limits_of_ones_own_count_instead_of_the_usual():
    assert decide([agent(limits={"sms": 1}, load={"sms": 1})], [work()], NOW) == []
    assert decide([agent(limits={"voice": 0})], [work(kind="voice")], NOW) == []


KINDS = ("voice", "whatsapp", "email")
AGENTS = st.lists(
    st.builds(
        lambda queues, idle, skill, load, is_asked: (queues, idle, skill, load, is_asked),
        st.sets(st.integers(1, 3), max_size=3),
        st.integers(0, 500),
        st.dictionaries(st.integers(1, 2), st.integers(1, 5)),
        st.dictionaries(st.sampled_from(KINDS), st.integers(0, 5)),
        st.booleans(),
    ),
    max_size=8,
)
WORKS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from(KINDS),
        st.integers(1, 4),
        st.integers(0, 30_000),
        st.none() | st.integers(-500, 500),
        st.lists(
            st.builds(SkillNeed, st.integers(1, 2), st.integers(1, 5), st.none() | st.integers(1, 900)), max_size=2
        ),
        st.none() | st.integers(1, 8),
        st.frozensets(st.integers(1, 8), max_size=3),
    ),
    max_size=25,
)


def may_take(one, job):
    return (
        job.queue_id in one.queue_ids
        and one.id not in job.barred
        and one.has_room_for(job.kind)
        and one.can_do(job.demands(NOW))
    )


@settings(max_examples=30, deadline=None)
@given(AGENTS, WORKS)
def test_every_decision_is_allowed_and_nothing_more_urgent_was_passed_over(people, jobs):
    agents = [
        agent(pk, queues=queues, idle=NOW - idle, skills=skills, load=dict(load), is_asked=is_asked)
        for pk, (queues, idle, skills, load, is_asked) in enumerate(people, 1)
    ]
    works = [
        Work(pk, queue, kind, priority, NOW - waited, due and NOW + due, tuple(needs), last, barred)
        for pk, (queue, kind, priority, waited, due, needs, last, barred) in enumerate(jobs, 1)
    ]
    pairs = decide(agents, works, NOW)
    by_work, by_agent = {one.id: one for one in works}, {one.id: one for one in agents}
    assert len({pair.work_id for pair in pairs}) == len({pair.agent_id for pair in pairs}) == len(pairs)
    assert [pair for pair in pairs if not may_take(by_agent[pair.agent_id], by_work[pair.work_id])] == []
    taken = {pair.agent_id: by_work[pair.work_id] for pair in pairs}
    left = [one for one in works if one.id not in {pair.work_id for pair in pairs}]
    passed_over = [
        (one.id, who)
        for one in left
        for who, person in by_agent.items()
        if may_take(person, one) and (who not in taken or taken[who].urgency(NOW) > one.urgency(NOW))
    ]
    assert passed_over == []


class Desk:
    """A simulated desk: arrivals, offers that are accepted, declined or missed, and work that takes its time."""

    def __init__(self, seed, *, people, queues=4, decline=0.05):
        self.random, self.now, self.decline = Random(seed), 0.0, decline
        self.agents = {
            pk: Agent(pk, frozenset({1 + pk % queues, 1 + (pk + 1) % queues}), 0.0, skills={1 + pk % 3: 3})
            for pk in range(1, people + 1)
        }
        self.waiting, self.busy, self.barred = {}, [], defaultdict(dict)
        self.given, self.waits, self.owners, self.next_id, self.queues = Counter(), {}, {}, 1, queues

    def arrive(self, count):
        for _ in range(count):
            kind = self.random.choices(("voice", "whatsapp", "email"), (2, 5, 3))[0]
            needs = (SkillNeed(self.random.randint(1, 3), 3, 120.0),) if self.random.random() < 0.3 else ()
            priority = self.random.choices((URGENT, HIGH, NORMAL, LOW), (1, 4, 20, 5))[0]
            one = Work(self.next_id, self.random.randint(1, self.queues), kind, priority, self.now, None, needs)
            self.waiting[one.id], self.next_id = one, self.next_id + 1

    def hand_out(self):
        works = []
        for one in self.waiting.values():
            barred = frozenset(who for who, until in self.barred[one.id].items() if until > self.now)
            works.append(Work(*_fields(one), barred=barred) if barred else one)
        for pair in decide(self.agents.values(), works, self.now):
            one, person = self.waiting[pair.work_id], self.agents[pair.agent_id]
            assert person.has_room_for(one.kind), "above capacity"
            if self.random.random() < self.decline:
                self.barred[one.id][person.id] = self.now + 300
                continue
            assert one.id not in self.owners, "two owners"
            self.owners[one.id] = person.id
            del self.waiting[one.id]
            person.load[one.kind] = person.load.get(one.kind, 0) + 1
            person.idle_since = self.now
            self.given[person.id] += 1
            self.waits[one.id] = self.now - one.since
            self.busy.append((self.now + self.random.uniform(60, 600), person.id, one.kind))

    def finish(self):
        due = [one for one in self.busy if one[0] <= self.now]
        self.busy = [one for one in self.busy if one[0] > self.now]
        for _at, who, kind in due:
            self.agents[who].load[kind] -= 1

    def run(self, arrivals, *, per_step, step=10.0):
        while self.next_id <= arrivals or self.waiting:
            self.now += step
            self.finish()
            if self.next_id <= arrivals:
                self.arrive(min(per_step, arrivals - self.next_id + 1))
            self.hand_out()
            assert self.now < 10**7, "somebody waits for ever"
        return self


def check(desk, arrivals):
    """One owner for everything, and a share for everybody that differs by little."""
    assert sorted(desk.owners) == list(range(1, arrivals + 1))
    shares = sorted(desk.given.values())
    mean = arrivals / len(desk.agents)
    assert shares[0] > 0.6 * mean and shares[-1] < 1.4 * mean, (shares[0], mean, shares[-1])
    return mean, shares


def test_a_busy_day_leaves_nothing_behind_and_shares_fairly():
    desk = Desk(0, people=20).run(1500, per_step=3)
    check(desk, 1500)


def test_equal_people_get_the_same_to_within_one():
    people = [Agent(pk, frozenset({1}), 0.0) for pk in range(1, 6)]
    given = Counter()
    for step in range(1, 52):
        (pair,) = decide(people, [Work(step, 1, "sms", NORMAL, float(step))], float(step))
        given[pair.agent_id] += 1
        people[pair.agent_id - 1].idle_since = float(step)
    assert sorted(given.values()) == [10, 10, 10, 10, 11]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_thousand_arrivals_over_two_hundred_people():
    arrivals = 100_000
    desk = Desk(1, people=200).run(arrivals, per_step=15)
    mean, shares = check(desk, arrivals)
    waits = sorted(desk.waits.values())
    middle, longest = waits[len(waits) // 2], waits[-1]
    print(
        f"distribution: {arrivals} arrivals, {len(desk.agents)} people: 0 with two owners, 0 above capacity, 0 left; "
        f"{mean:.0f} each ({shares[0]} to {shares[-1]}); waits p50 {middle:.0f} s, longest {longest:.0f} s"
    )
