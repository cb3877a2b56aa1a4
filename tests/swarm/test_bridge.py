"""Calls, cancellation and streams cross between trio and asyncio, and nothing stays behind."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import trio
import trio.testing

from skilllite_swarm.bridge import Bridge, open_bridge
from skilllite_swarm.bridge_stream import STREAM_WINDOW, Inflow, Outflow

PATIENCE_S = 5  # longest wait for something that takes microseconds


def bridge_threads() -> int:
    return sum(thread.name == "swarm-asyncio" for thread in threading.enumerate())


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def answer(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def fail() -> None:
    raise LookupError("asked to")


async def test_result_and_error_of_a_coroutine_come_back() -> None:
    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge:
            assert await bridge.run_aio(answer, 42) == 42
            with pytest.raises(LookupError, match="asked to"):
                await bridge.run_aio(fail)


async def test_cancelling_in_trio_cancels_the_coroutine() -> None:
    entered, left = trio.Event(), threading.Event()

    async with open_bridge() as bridge:

        async def hang() -> None:
            bridge.to_trio(entered.set)
            try:
                await asyncio.Event().wait()
            finally:
                left.set()

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.run_aio, hang)
                await entered.wait()
                nursery.cancel_scope.cancel()

        assert left.is_set()


async def test_result_that_is_ready_beats_a_late_cancel() -> None:
    scope = trio.CancelScope()
    results: list[str] = []

    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge:

            async def finish_anyway() -> str:
                bridge.to_trio(scope.cancel)
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    return "finished"
                raise AssertionError

            with scope:
                results.append(await bridge.run_aio(finish_anyway))

    assert results == ["finished"]


async def test_a_trio_function_answers_asyncio() -> None:
    async def double(value: int) -> int:
        await trio.lowlevel.checkpoint()
        return 2 * value

    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge, trio.open_nursery() as nursery:
            assert await bridge.run_aio(bridge.run_trio, nursery, double, 21) == 42


async def test_an_error_in_trio_reaches_asyncio_and_spares_the_nursery() -> None:
    async def broken() -> None:
        async with trio.open_nursery() as inner:
            inner.start_soon(trio.sleep_forever)
            raise LookupError("inside")

    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge, trio.open_nursery() as nursery:
            with pytest.raises(ExceptionGroup) as caught:
                await bridge.run_aio(bridge.run_trio, nursery, broken)

            assert caught.group_contains(LookupError, match="inside")
            assert not nursery.cancel_scope.cancel_called


async def test_cancelling_in_asyncio_cancels_the_trio_function() -> None:
    entered, left = trio.Event(), trio.Event()

    async def hang() -> None:
        entered.set()
        try:
            await trio.sleep_forever()
        finally:
            left.set()

    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge, trio.open_nursery() as nursery:
            async with trio.open_nursery() as callers:
                callers.start_soon(bridge.run_aio, bridge.run_trio, nursery, hang)
                await entered.wait()
                callers.cancel_scope.cancel()
            await left.wait()


async def test_a_nursery_that_ended_refuses_instead_of_hanging() -> None:
    async def never() -> None:
        raise AssertionError("must not run")

    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge:
            async with trio.open_nursery() as nursery:
                pass

            with pytest.raises(trio.ClosedResourceError):
                await bridge.run_aio(bridge.run_trio, nursery, never)


async def test_a_nursery_cancelled_meanwhile_answers_asyncio() -> None:
    async def cancel_own(nursery: trio.Nursery) -> None:
        nursery.cancel_scope.cancel()
        await trio.sleep_forever()

    async def call(nursery: trio.Nursery) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await bridge.run_aio(bridge.run_trio, nursery, cancel_own, nursery)

    with trio.fail_after(PATIENCE_S):
        async with (
            open_bridge() as bridge,
            trio.open_nursery() as callers,
            trio.open_nursery() as nursery,
        ):
            callers.start_soon(call, nursery)
            await trio.sleep_forever()


async def test_closing_fails_calls_under_way_and_later_ones() -> None:
    bridges: list[Bridge] = []
    entered = trio.Event()

    async def hang() -> None:
        bridges[0].to_trio(entered.set)
        await asyncio.Event().wait()

    async def call() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await bridges[0].run_aio(hang)

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery, open_bridge() as bridge:
            bridges.append(bridge)
            nursery.start_soon(call)
            await entered.wait()

    with pytest.raises(trio.ClosedResourceError):
        await bridges[0].run_aio(answer, 1)
    await bridges[0]._close()


async def test_bridges_leave_no_thread_and_no_descriptor() -> None:
    async with open_bridge() as bridge:
        await bridge.run_aio(answer, 1)
    before = open_descriptors()

    for _ in range(20):
        async with open_bridge() as bridge:
            await bridge.run_aio(answer, 1)

    assert bridge_threads() == 0
    assert open_descriptors() == before


def test_posts_after_the_run_are_dropped() -> None:
    bridges: list[Bridge] = []

    async def main() -> None:
        async with open_bridge() as bridge:
            bridges.append(bridge)

    trio.run(main)

    bridges[0].to_trio(print, "never")
    bridges[0].to_aio(print, "never")


async def test_a_slow_asyncio_reader_holds_back_a_trio_writer() -> None:
    sent = 0
    got: list[int] = []

    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge, trio.open_nursery() as nursery:
            gate = asyncio.Event()

            async def consume(item: int) -> None:
                await gate.wait()
                got.append(item)

            async def make() -> Outflow[int]:
                return Outflow(bridge)

            flow = await bridge.run_aio(make)

            async def produce() -> None:
                nonlocal sent
                for item in range(3 * STREAM_WINDOW):
                    await flow.send(item)
                    sent += 1
                bridge.to_aio(flow.end)

            nursery.start_soon(produce)
            nursery.start_soon(bridge.run_aio, flow.take, consume)
            await bridge.run_aio(answer, 0)
            await trio.testing.wait_all_tasks_blocked()
            assert sent == STREAM_WINDOW
            bridge.to_aio(gate.set)

    assert got == list(range(3 * STREAM_WINDOW))


async def test_an_inflow_is_bounded_ordered_and_ends() -> None:
    made = 0

    async def count() -> AsyncGenerator[int, None]:
        nonlocal made
        for item in range(5 * STREAM_WINDOW):
            made += 1
            yield item

    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge, Inflow(bridge, count) as flow:
            assert await anext(flow) == 0
            await bridge.run_aio(asyncio.sleep, 0.01)
            assert made <= 2 * STREAM_WINDOW + 2
            rest = [item async for item in flow]

    assert rest == list(range(1, 5 * STREAM_WINDOW))


async def test_an_inflow_raises_what_its_source_raised_after_the_items() -> None:
    async def source() -> AsyncGenerator[int, None]:
        yield 1
        raise LookupError("source broke")

    got: list[int] = []
    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge, Inflow(bridge, source) as flow:
            with pytest.raises(LookupError, match="source broke"):
                async for item in flow:
                    got.append(item)

    assert got == [1]


async def test_leaving_an_inflow_cancels_its_source() -> None:
    cancelled = trio.Event()

    with trio.fail_after(PATIENCE_S):
        async with open_bridge() as bridge:

            async def source() -> AsyncGenerator[int, None]:
                try:
                    yield 1
                    await asyncio.Event().wait()
                finally:
                    bridge.to_trio(cancelled.set)

            async with Inflow(bridge, source) as flow:
                assert await anext(flow) == 1
            await cancelled.wait()
