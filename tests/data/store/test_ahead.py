"""Tasks ahead of the one in hand, and acts that a browser sends twice."""

import threading
from uuid import uuid4

import pytest
import sqlalchemy as sa

from core.errors import BadInput, Conflict
from core.records import Review, Task, TaskKind, Verdict
from core.roles import Actor
from data.store import Store, open_store
from data.tables import reviews
from tests.data.store.plant import answer, arrival, file, person, site


@pytest.fixture
def ana(store: Store) -> Store:
    site(store)
    return person(store, "ana")


@pytest.fixture
def ben(store: Store, ana: Store) -> Store:
    return person(store, "ben")


def ids(tasks: list[Task]) -> list[int]:
    return [task.id for task in tasks]


def test_the_next_ones_come_in_order_of_urgency_and_become_the_one_in_hand(store: Store, ana: Store) -> None:
    file(store, arrival(1, 0.4), arrival(2, 0.7), arrival(3, 0.6), arrival(4, 0.5))
    waiting = ids(ana.queue.next(4))
    first = ana.queue.lease()
    ahead = ana.queue.lease_ahead(2)
    assert [first.id, *ids(ahead)] == waiting[:3]
    assert [task.ahead for task in [first, *ahead]] == [False, True, True]
    assert ids(ana.queue.next(3)) == waiting[1:]
    answer(ana, first)
    second = ana.queue.lease()
    assert (second.id, second.fence, second.ahead) == (ahead[0].id, ahead[0].fence, False)
    assert ana.queue.held().id == second.id


def test_they_keep_their_places_when_something_more_urgent_comes(store: Store, ana: Store) -> None:
    file(store, *(arrival(number, 0.4) for number in range(4)))
    ana.queue.lease()
    before = ana.queue.lease_ahead(2)
    file(store, arrival(9, 0.75))
    after = ana.queue.lease_ahead(3)
    assert ids(after)[:2] == ids(before)
    assert len(after) == 3
    assert ids(ana.queue.lease_ahead(3)) == ids(after)
    assert ids(ana.queue.lease_ahead(1)) == ids(before)[:1]
    assert ana.queue.lease_ahead(0) == []


def test_they_lapse_by_themselves_unless_renewed(store: Store, ana: Store, ben: Store, clock) -> None:
    file(store, *(arrival(number) for number in range(2)))
    ana.queue.lease(seconds=3600)
    [ahead] = ana.queue.lease_ahead()
    clock.pass_(seconds=29)
    [again] = ana.queue.lease_ahead()
    assert (again.id, again.fence) == (ahead.id, ahead.fence)
    assert again.leased_until > ahead.leased_until
    clock.pass_(seconds=29)
    assert ben.queue.counts().ahead == 1
    clock.pass_(seconds=2)
    assert (ben.queue.counts().ahead, ben.queue.counts().waiting) == (0, 1)
    taken = ben.queue.lease()
    assert (taken.id, taken.fence) == (ahead.id, ahead.fence + 1)


def test_who_has_nothing_in_hand_gets_nothing_ahead(store: Store, ana: Store, clock) -> None:
    file(store, arrival(1), arrival(2))
    assert ana.queue.lease_ahead() == []
    task = ana.queue.lease(seconds=10)
    assert len(ana.queue.lease_ahead()) == 1
    answer(ana, task)
    assert ana.queue.lease_ahead() == []


def test_an_answer_to_one_ahead_counts_under_its_fence(store: Store, ana: Store) -> None:
    file(store, *(arrival(number) for number in range(4)))
    first = ana.queue.lease()
    second, third, _ = ana.queue.lease_ahead()
    answer(ana, second)
    answer(ana, third)
    answer(ana, first)
    with pytest.raises(Conflict):
        answer(ana, second)
    assert ana.queue.counts().done_today == 3


def test_a_second_look_that_is_not_ones_own_to_take_does_not_wait_for_one(store: Store, ana: Store, ben: Store) -> None:
    file(store, arrival(0))
    answer(ana, ana.queue.lease(), Verdict.UNSURE)
    mine, theirs = ana.queue.counts(), ben.queue.counts()
    assert (mine.waiting, mine.all_caught_up) == (0, True)
    assert (theirs.waiting, theirs.all_caught_up) == (1, False)
    assert mine.kinds == theirs.kinds == {"second_look": 1}
    assert ana.queue.counts("Lyon").all_caught_up
    held = ben.queue.lease()
    assert (ana.queue.counts().waiting, ana.queue.counts().leased) == (0, 1)
    answer(ben, held)
    assert ben.queue.counts().all_caught_up


def test_nobody_is_sent_away_while_another_only_has_tasks_ahead(store: Store, ana: Store, ben: Store) -> None:
    file(store, *(arrival(number) for number in range(3)))
    first = ana.queue.lease()
    second, third = ana.queue.lease_ahead()
    counts = ben.queue.counts()
    assert (counts.waiting, counts.leased, counts.ahead, counts.all_caught_up) == (0, 1, 2, False)
    assert (ana.queue.counts().waiting, ana.queue.counts().ahead) == (2, 0)
    taken = ben.queue.lease()
    assert (taken.id, taken.fence) == (third.id, third.fence + 1)  # the one that ana would have come to last
    with pytest.raises(Conflict, match="ben has this part now"):
        answer(ana, third)
    assert ids(ana.queue.lease_ahead()) == [second.id]
    answer(ben, taken)
    taken = ben.queue.lease()
    assert taken.id == second.id
    answer(ben, taken)
    assert ben.queue.lease() is None  # what ana has in hand is hers
    assert ben.queue.counts().all_caught_up
    answer(ana, first)


def test_a_free_task_is_taken_before_anybodys_ahead(store: Store, ana: Store, ben: Store) -> None:
    filed = file(store, arrival(1, 0.7), arrival(2, 0.6), arrival(3, 0.5))
    ana.queue.lease()
    ana.queue.lease_ahead(1)
    assert ben.queue.lease().part_id == filed[2].part_id


def test_they_are_given_back_at_once_when_the_page_is_left(store: Store, ana: Store, ben: Store) -> None:
    file(store, *(arrival(number) for number in range(3)))
    first = ana.queue.lease()
    second, _ = ana.queue.lease_ahead()
    ana.queue.release_ahead()
    ana.queue.release_ahead()
    assert (ben.queue.counts().waiting, ben.queue.counts().ahead) == (2, 0)
    assert ana.queue.held().id == first.id
    with pytest.raises(Conflict, match="no lease on this part"):
        answer(ana, second)


def test_what_does_not_fit_any_more_is_given_back(store: Store, ana: Store, ben: Store) -> None:
    filed = file(store, arrival(1), arrival(2), arrival(3, 0.1), arrival(4, 0.1))
    for one in filed[2:]:
        store.queue.send(one.part_id, TaskKind.LABEL)
    ana.queue.lease([TaskKind.TRIAGE])
    assert [task.kind for task in ana.queue.lease_ahead(3, [TaskKind.TRIAGE])] == [TaskKind.TRIAGE]
    ana.queue.lease([TaskKind.LABEL])
    assert [task.kind for task in ana.queue.lease_ahead(3, [TaskKind.LABEL])] == [TaskKind.LABEL]
    assert ben.queue.counts().waiting == 2
    assert ben.queue.lease([TaskKind.TRIAGE]) is not None


def test_taking_an_answer_back_leaves_what_is_ahead(store: Store, ana: Store) -> None:
    file(store, *(arrival(number) for number in range(4)))
    first = ana.queue.lease()
    ahead = ana.queue.lease_ahead(2)
    answer(ana, first)
    ana.queue.lease()
    again = ana.reviews.undo(task_id=first.id)
    assert ana.queue.held().id == again.id
    assert ids(ana.queue.lease_ahead(1)) == [ahead[1].id]


def test_a_second_look_that_is_only_ahead_does_not_hold_an_undo_up(store: Store, ana: Store, ben: Store) -> None:
    file(store, arrival(1), arrival(2))
    mine = ana.queue.lease()
    ben.queue.lease()
    answer(ana, mine, Verdict.UNSURE)
    [look] = ben.queue.lease_ahead()
    assert look.kind is TaskKind.SECOND_LOOK
    ana.reviews.undo(task_id=mine.id)
    with pytest.raises(Conflict, match="withdrawn"):
        answer(ben, look)


def test_whoever_comes_back_after_the_lease_lapsed_finds_the_same_task(store: Store, ana: Store, clock) -> None:
    file(store, arrival(1, 0.5))
    task = ana.queue.lease(seconds=60)
    clock.pass_(hours=1)
    file(store, arrival(2, 0.79))
    again = ana.queue.lease()
    assert (again.id, again.fence) == (task.id, task.fence)


@pytest.mark.parametrize("n", [-1, 11])
def test_a_few_are_enough(ana: Store, n: int) -> None:
    with pytest.raises(BadInput):
        ana.queue.lease_ahead(n)


def test_an_act_sent_again_gets_the_review_of_the_first_time(store: Store, ana: Store, ben: Store) -> None:
    file(store, arrival(1), arrival(2))
    task = ana.queue.lease()
    act = str(uuid4())

    def send(who: Store, about: Task) -> int:
        return who.reviews.add(about.id, about.revision, about.fence, Review(Verdict.FAIL, ""), act=act)

    stored = send(ana, task)
    assert send(ana, task) == stored
    ana.reviews.undo(task_id=task.id)
    assert send(ana, task) == stored  # whatever has happened since, that press was stored once
    assert store.reviews.of_part(task.part_id) == []
    with pytest.raises(BadInput, match="stands for the answer to task"):
        send(ana, ana.queue.lease_ahead(1)[0])
    ana.queue.release_ahead()
    assert send(ben, ben.queue.lease()) != stored  # another person's act of the same name is another act


@pytest.mark.parametrize("act", ["", "short", "x" * 65, "no spaces here", "no'quotes;here"])
def test_an_act_is_an_id_and_nothing_else(store: Store, ana: Store, act: str) -> None:
    file(store, arrival(1))
    task = ana.queue.lease()
    with pytest.raises(BadInput):
        ana.reviews.add(task.id, task.revision, task.fence, Review(Verdict.FAIL, ""), act=act)
    assert store.reviews.of_part(task.part_id) == []


def test_the_store_itself_refuses_an_act_twice(store: Store, ana: Store) -> None:
    file(store, arrival(1), arrival(2))
    task = ana.queue.lease()
    ana.reviews.add(task.id, task.revision, task.fence, Review(Verdict.FAIL, ""), act="a-certain-act")
    with store.database.reading() as connection:
        row = connection.execute(sa.select(reviews)).one()._asdict()
    again = row | {"id": None, "task_id": ana.queue.lease().id}
    with pytest.raises(sa.exc.IntegrityError), store.database.transaction() as connection:
        connection.execute(sa.insert(reviews).values({key: value for key, value in again.items() if key != "id"}))


def test_an_act_sent_twice_at_once_is_stored_once(store: Store, url: str, ana: Store, clock) -> None:
    file(store, *(arrival(number) for number in range(8)))
    other = open_store(url, Actor("ana"), clock)  # as another process of the app would
    for _ in range(8):
        task, act = ana.queue.lease(), str(uuid4())
        both = threading.Barrier(2, timeout=60)
        found: list[int] = []

        def send(who: Store, task: Task = task, act: str = act, both=both, found=found) -> None:
            both.wait()
            found.append(who.reviews.add(task.id, task.revision, task.fence, Review(Verdict.FAIL, ""), act=act))

        senders = [threading.Thread(target=send, args=(who,)) for who in (ana, other)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(60)
        assert len(found) == 2
        assert found[0] == found[1]
        assert len(store.reviews.of_part(task.part_id)) == 1
    other.close()
