"""Who waits: jobs at a desk with few places, without any web."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from minigrad.serve import desk as desk_module
from minigrad.serve.desk import Desk, NoPlace


async def never_gone():
    await asyncio.Event().wait()


class Held:
    """A desk whose thread does nothing until it is let go."""

    def __init__(self, **limits):
        self.desk, self.order, self.blocked = Desk(**limits), [], threading.Event()
        self.desk.writer.submit(self.blocked.wait, 60)

    def come(self, name: str, until_gone=never_gone, n: int = 3):
        def text():
            for _ in range(n):
                self.order.append(name)
                yield [name]

        return self.desk.accept(text(), until_gone)

    @property
    def busy(self) -> tuple[int, int]:
        return len(self.desk.running), len(self.desk.waiting)


async def read(job) -> str:
    return "".join([item async for item in job])


@pytest.fixture
def clock(monkeypatch):
    """A clock for the desk that goes on by `clock.tick` whenever a piece looks at it."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(desk_module.time, "thread_time", lambda: now.seconds)
    return now


def order_of(clock, max_running: int, costs: dict[str, list[float]], late=None) -> str:
    """In which order pieces of these costs are made; `late` come when the piece is made."""
    order, late = [], late or {}

    async def scenario():
        desk, blocked = Desk(max_running, 99), threading.Event()
        desk.writer.submit(blocked.wait, 60)

        def pieces(name):
            for i, cost in enumerate(costs[name]):
                clock.seconds += cost
                order.append(name)
                if f"{name}{i}" in late:
                    coming = come_late(late[f"{name}{i}"])
                    asyncio.run_coroutine_threadsafe(coming, loop).result(60)
                yield [name]

        def come(name):
            jobs.append(desk.accept(pieces(name), never_gone))

        async def come_late(name):
            come(name)

        loop, jobs = asyncio.get_running_loop(), []
        for name in costs:
            if name not in late.values():
                come(name)
        blocked.set()
        for job in jobs:
            await read(job)

    asyncio.run(scenario())
    return "".join(order)


def test_equal_pieces_are_made_round_and_round(clock):
    costs = {"a": [1, 1, 1], "b": [1, 1, 1], "c": [1, 1, 1]}
    assert order_of(clock, 3, costs) == "abcabcabc"
    assert order_of(clock, 2, costs) == "abababccc"


def test_turns_are_counted_in_time(clock):
    costs = {"a": [10, 10], "b": [1] * 12, "c": [1] * 12}
    order = order_of(clock, 3, costs)
    assert order[:3] == "abc" and order.index("a", 1) == 21  # b and c catch up first
    beside_long = order_of(clock, 3, {"a": [8, 8, 8], "b": [8, 8, 8], "c": [1, 1, 1]})
    assert beside_long == "abcccabab"


def test_who_comes_late_is_neither_ahead_nor_behind(clock):
    costs = {"a": [1] * 20, "b": [1] * 5}
    order = order_of(clock, 2, costs, late={"a9": "b"})
    assert order == "a" * 10 + "ba" * 5 + "a" * 5


def test_a_refusal_says_when_a_place_will_be_free(clock):
    async def scenario():
        held = Held(max_running=1, max_waiting=2)
        held.desk.usual = 7.2
        for name in "abc":
            held.come(name)
        with pytest.raises(NoPlace, match="all places are taken, try again in 22 s") as refused:
            held.come("d")
        assert refused.value.seconds == 22 and refused.value.crowded
        held.desk.abandon()
        held.blocked.set()

    asyncio.run(scenario())


def test_some_run_some_wait_and_more_are_refused():
    async def scenario():
        held = Held(max_running=1, max_waiting=2)
        jobs = [held.come(name) for name in "abc"]
        assert held.busy == (1, 2)
        with pytest.raises(NoPlace, match="all places are taken"):
            held.come("d")
        held.blocked.set()
        assert [await read(job) for job in jobs] == ["aaa", "bbb", "ccc"]
        assert "".join(held.order) == "aaabbbccc" and await read(held.come("e")) == "eee"

    asyncio.run(scenario())


def test_whoever_goes_away_frees_the_place_and_nothing_more_is_made_for_them():
    async def scenario():
        held = Held(max_running=1, max_waiting=2)
        gone = {name: asyncio.Event() for name in "ab"}
        jobs = {name: held.come(name, event.wait) for name, event in gone.items()}
        jobs["c"] = held.come("c")
        gone["b"].set()  # while it waits
        with pytest.raises(NoPlace, match="nobody waits"):
            await read(jobs["b"])
        assert held.busy == (1, 1)
        gone["a"].set()  # while it runs
        with pytest.raises(NoPlace, match="nobody waits"):
            await read(jobs["a"])
        assert held.busy == (1, 0)
        held.blocked.set()
        assert await read(jobs["c"]) == "ccc" and held.order == list("ccc")
        assert held.busy == (0, 0)

    asyncio.run(scenario())


def test_an_error_reaches_the_reader_and_frees_the_place():
    def broken():
        yield ["a"]
        raise FloatingPointError("broken")

    async def scenario():
        desk = Desk(max_running=1, max_waiting=0)
        job, found = desk.accept(broken(), never_gone), []
        with pytest.raises(FloatingPointError, match="broken"):
            async for item in job:
                found.append(item)
        assert found == ["a"]
        assert not desk.running and job.over

    asyncio.run(scenario())


def test_a_closed_desk_takes_nobody_in_and_finishes_what_it_has():
    async def scenario():
        held = Held(max_running=1, max_waiting=1)
        jobs = [held.come(name) for name in "ab"]
        held.desk.closed = True
        with pytest.raises(NoPlace, match="about to stop"):
            held.come("c")
        held.blocked.set()
        assert [await read(job) for job in jobs] == ["aaa", "bbb"]

    asyncio.run(scenario())


def test_an_abandoned_desk_makes_nothing_more_and_tells_everybody():
    async def scenario():
        held = Held(max_running=1, max_waiting=1)
        jobs = [held.come(name) for name in "ab"]
        held.desk.abandon()
        held.blocked.set()
        for job in jobs:
            with pytest.raises(NoPlace, match="has been stopped"):
                await read(job)
        assert held.busy == (0, 0)
        held.desk.writer.shutdown(wait=True)  # all that was submitted is through
        assert held.order == []

    asyncio.run(scenario())
