"""Who waits: jobs at a desk with few places, without any web."""

import asyncio
import threading

import pytest

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


def test_turns_are_taken_piece_by_piece():
    async def scenario():
        held = Held(max_running=2, max_waiting=1)
        jobs = [held.come(name) for name in "abc"]
        held.blocked.set()
        assert [await read(job) for job in jobs] == ["aaa", "bbb", "ccc"]
        assert "".join(held.order) == "abababccc" and held.busy == (0, 0)
        assert all(job.seconds > 0 for job in jobs)

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
        assert await read(jobs["b"]) == "" and held.busy == (1, 1)
        gone["a"].set()  # while it runs
        assert await read(jobs["a"]) == "" and held.busy == (1, 0)
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


def test_an_abandoned_desk_makes_nothing_more():
    async def scenario():
        held = Held(max_running=1, max_waiting=1)
        for name in "ab":
            held.come(name)
        held.desk.abandon()
        held.blocked.set()
        held.desk.writer.shutdown(wait=True)  # all that was submitted is through
        assert held.order == []

    asyncio.run(scenario())
