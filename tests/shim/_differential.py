"""The same calls through etcetra 0.1.19 and through the shim: ``python _differential.py PACKAGE HOST PORT``.

It needs nothing but the package, for etcetra runs in a virtual environment of its own. Prints, for each case, what it
returned, or the names of the exception's classes, as JSON. A case may not depend on the ones before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Case = Callable[[Any, Any], Awaitable[Any]]  # of the package and a communicator
CASES: dict[str, Case] = {}
#: For one case, in seconds.
PATIENCE = 5.0


def case(function: Case) -> Case:
    """One more."""
    CASES[function.__name__] = function
    return function


async def fill(c: Any) -> None:
    for key in ("/d", "/d/", "/d/1", "/d/2", "/d0", "/e"):
        await c.put(key, f"value of {key}")


@case
async def get_of_what_is_not_there(m: Any, c: Any) -> Any:
    return await c.get("no such key")


@case
async def put_and_get(m: Any, c: Any) -> Any:
    await c.put("k", "ünï")
    return await c.get("k")


@case
async def put_of_an_empty_value(m: Any, c: Any) -> Any:
    await c.put("k", "")
    return await c.get("k")


@case
async def put_by_keywords(m: Any, c: Any) -> Any:
    await c.put(key="k", value="v", lease=None, prev_kv=False, encoding="utf-8")
    return await c.get(key="k", encoding="utf-8")


@case
async def put_keeps_the_value(m: Any, c: Any) -> Any:
    await c.put("k", "v")
    await c.put("k", None)
    return await c.get("k")


@case
async def result_of_put(m: Any, c: Any) -> Any:
    return await c.put("k", "v")


@case
async def result_of_put_with_prev_kv(m: Any, c: Any) -> Any:
    await c.put("k", "v")
    return await c.put("k", "w", None, True)


@case
async def other_encodings(m: Any, c: Any) -> Any:
    await c.put("k", "ü", encoding="latin-1")
    return await c.get("k", encoding="latin-1")


@case
async def get_prefix(m: Any, c: Any) -> Any:
    await fill(c)
    return list((await c.get_prefix("/d")).items())


@case
async def get_prefix_with_a_slash(m: Any, c: Any) -> Any:
    await fill(c)
    return list((await c.get_prefix("/d/")).items())


@case
async def get_prefix_of_nothing(m: Any, c: Any) -> Any:
    return dict(await c.get_prefix("nothing"))


@case
async def get_prefix_of_everything(m: Any, c: Any) -> Any:
    await c.put("k", "v")
    return dict(await c.get_prefix(""))


@case
async def get_prefix_sorted(m: Any, c: Any) -> Any:
    await fill(c)
    order, target = m.RangeRequestSortOrder.DESCEND, m.RangeRequestSortTarget.VALUE
    return list(await c.get_prefix("/d", sort_order=order, sort_target=target))


@case
async def get_range(m: Any, c: Any) -> Any:
    await fill(c)
    return list((await c.get_range("/d", "/d/2")).items())


@case
async def get_range_with_a_limit(m: Any, c: Any) -> Any:
    await fill(c)
    return list(await c.get_range("/d", "/f", 2))


@case
async def keys_prefix(m: Any, c: Any) -> Any:
    await fill(c)
    return await c.keys_prefix("/d")


@case
async def keys_range(m: Any, c: Any) -> Any:
    await fill(c)
    return await c.keys_range("/d", "/e", limit=3)


@case
async def get_at_a_revision(m: Any, c: Any) -> Any:
    results = await c.txn(lambda action: action.put("k", "old"))
    await c.put("k", "new")
    return await c.get("k", revision=results[0]["revision"])


@case
async def get_with_bounds(m: Any, c: Any) -> Any:
    await c.put("k", "v")
    return [await c.get("k", min_mod_revision=10**9), await c.get("k", 10**9, 10**9, 1, 1)]


@case
async def delete(m: Any, c: Any) -> Any:
    await c.put("k", "v")
    return [await c.delete("k"), await c.get("k"), await c.delete("k")]


@case
async def delete_with_prev_kv(m: Any, c: Any) -> Any:
    await c.put("k", "v")
    return await c.delete("k", prev_kv=True)


@case
async def delete_prefix(m: Any, c: Any) -> Any:
    await fill(c)
    return [await c.delete_prefix("/d"), await c.keys_prefix("/")]


@case
async def delete_prefix_with_a_slash(m: Any, c: Any) -> Any:
    await fill(c)
    return [await c.delete_prefix("/d/"), await c.keys_prefix("/")]


@case
async def delete_prefix_with_prev_kv(m: Any, c: Any) -> Any:
    await fill(c)
    return await c.delete_prefix("/d", prev_kv=True)


@case
async def delete_range(m: Any, c: Any) -> Any:
    await fill(c)
    return [await c.delete_range("/d", "/d/2"), await c.keys_prefix("/")]


@case
async def bytes_as_value(m: Any, c: Any) -> Any:
    await c.put("k", b"v")
    return await c.get("k")


@case
async def txn_of_puts_and_deletes(m: Any, c: Any) -> Any:
    def build(action: Any) -> None:
        action.put("k", "v")
        action.delete("other")

    results = await c.txn(build)
    return [sorted(results[0]), type(results[0]["revision"]).__name__, results[1], await c.get("k")]


@case
async def txn_of_gets(m: Any, c: Any) -> Any:
    await c.put("k", "v")

    def build(action: Any) -> None:
        action.get("k")
        action.get("no such key")

    return list(await c.txn(build))


@case
async def txn_of_nothing(m: Any, c: Any) -> Any:
    return list(await c.txn(lambda action: None))


@case
async def txn_compare_values(m: Any, c: Any) -> Any:
    await c.put("k", "v")
    results = await c.txn_compare(
        [m.CompareKey("k").value == "v", m.CompareKey("k").value != "w", m.CompareKey("k").value > "u"],
        lambda success, failure: (success.put("k", "success"), failure.put("k", "failure")),
    )
    return [results.success, len(results.values), await c.get("k")]


@case
async def txn_compare_fails(m: Any, c: Any) -> Any:
    await c.put("k", "v")
    results = await c.txn_compare(
        [m.CompareKey("k").value == "w"],
        lambda success, failure: (success.put("k", "success"), failure.put("k", "failure")),
    )
    return [results.success, await c.get("k")]


@case
async def txn_compare_unpacked(m: Any, c: Any) -> Any:
    _, success = await c.txn_compare([m.CompareKey("k").value == "w"], lambda success, failure: None)
    return success


@case
async def txn_compare_ranges(m: Any, c: Any) -> Any:
    await fill(c)
    compare = m.CompareKey("/d", range_end="/e").value > "value"
    return (await c.txn_compare([compare], lambda success, failure: None)).success


@case
async def compare_less_than(m: Any, c: Any) -> Any:
    await c.put("k", "v")
    return (await c.txn_compare([m.CompareKey("k").value < "w"], lambda success, failure: None)).success


@case
async def compare_numbers(m: Any, c: Any) -> Any:
    return (await c.txn_compare([m.CompareKey("k").version == 0], lambda success, failure: None)).success


@case
async def compare_fields(m: Any, c: Any) -> Any:
    compare = m.CompareKey("k", target_version=0).version == 0
    return (await c.txn_compare([compare], lambda success, failure: None)).success


@case
async def compare_greater_or_equal(m: Any, c: Any) -> Any:
    return m.CompareKey("k").value >= "v"


@case
async def callbacks(m: Any, c: Any) -> Any:
    called: list[bool] = []

    def build(action: Any) -> None:
        action.put("k", "v")
        action.add_callback(called.append)

    await c.txn(build)
    return called


@case
async def actions_by_themselves(m: Any, c: Any) -> Any:
    action = m.EtcdTransactionAction()
    action.put("k", "v")
    action.get("k")
    action.delete("k")
    return [len(action.requests), action.encoding, action.callback]


@case
async def leases(m: Any, c: Any) -> Any:
    lease = await c.grant_lease(60, 4711)
    await c.put("k", "v", lease)
    before = await c.get("k")
    revoked = await c.revoke_lease(lease)
    return [lease, before, revoked, await c.get("k")]


@case
async def lease_ids_are_chosen(m: Any, c: Any) -> Any:
    lease = await c.grant_lease(60)
    await c.revoke_lease(lease)
    return [type(lease).__name__, lease > 0]


@case
async def keepalive_task(m: Any, c: Any) -> Any:
    lease = await c.grant_lease(2)
    await c.put("k", "v", lease=lease)
    task = c.create_lease_keepalive_task(lease, 0.5)
    await asyncio.sleep(3.5)
    kept = await c.get("k")
    task.cancel()
    await asyncio.wait([task])
    await c.revoke_lease(lease)
    return [type(task).__name__, kept, task.cancelled()]


async def collect(events: Any, count: int) -> Any:
    found = []
    async for event in events:
        found.append([str(event.event), event.key, event.value, event.prev_value])
        if len(found) == count:
            break
    return found


async def watched(c: Any, watch: Callable[..., Any], count: int, **options: Any) -> Any:
    ready = asyncio.Event()
    task = asyncio.ensure_future(collect(watch(ready_event=ready, **options), count))
    await ready.wait()
    await asyncio.sleep(0.2)
    await c.put("w", "1")
    await c.put("w", "2")
    await c.put("w/1", "3")
    await c.delete("w")
    await c.put("w", "4")
    return await task


@case
async def watch(m: Any, c: Any) -> Any:
    return await watched(c, lambda **o: c.watch("w", **o), 4)


@case
async def watch_prefix(m: Any, c: Any) -> Any:
    return await watched(c, lambda **o: c.watch_prefix("w", **o), 5)


@case
async def watch_without_puts(m: Any, c: Any) -> Any:
    only = [m.WatchCreateRequestFilterType.NOPUT]
    return await watched(c, lambda **o: c.watch("w", filters=only, **o), 1)


@case
async def watch_without_deletes(m: Any, c: Any) -> Any:
    only = [m.WatchCreateRequestFilterType.NODELETE]
    return await watched(c, lambda **o: c.watch("w", filters=only, **o), 3)


@case
async def watch_with_prev_kv(m: Any, c: Any) -> Any:
    await c.put("w", "0")
    return await watched(c, lambda **o: c.watch("w", prev_kv=True, **o), 3)


@case
async def watch_with_prev_kv_of_what_is_new(m: Any, c: Any) -> Any:
    return await watched(c, lambda **o: c.watch("w", prev_kv=True, **o), 1)


@case
async def watch_from_a_revision(m: Any, c: Any) -> Any:
    results = await c.txn(lambda action: action.put("w", "v"))
    return await collect(c.watch("w", start_revision=results[0]["revision"]), 1)


@case
async def watch_ends_at_a_timeout(m: Any, c: Any) -> Any:
    iterator = c.watch("w").__aiter__()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(iterator.__anext__(), 0.3)
    writing = asyncio.ensure_future(c.put("w", "v"))
    event = await asyncio.wait_for(iterator.__anext__(), 1)
    await writing
    return event.value


@case
async def events_compare(m: Any, c: Any) -> Any:
    event = m.WatchEvent("k", "v", None, m.WatchEventType.PUT)
    same = m.WatchEvent(key="k", value="v", prev_value=None, event=m.WatchEventType.PUT)
    return [event == same, hash(event) == hash(same), str(event.event), event.event.value]


@case
async def unknown_lease(m: Any, c: Any) -> Any:
    return await c.put("k", "v", 4712)


@case
async def unknown_lease_is_revoked(m: Any, c: Any) -> Any:
    return await c.revoke_lease(4712)


@case
async def put_keeps_a_value_that_is_not_there(m: Any, c: Any) -> Any:
    return await c.put("no such key", None)


@case
async def future_revision(m: Any, c: Any) -> Any:
    return await c.get("k", revision=10**9)


@case
async def too_many_operations(m: Any, c: Any) -> Any:
    return await c.txn(lambda action: [action.get(str(number)) for number in range(129)])


@case
async def lock(m: Any, c: Any) -> Any:
    order: list[str] = []

    async def hold(name: str, seconds: float) -> None:
        async with m.client_of_the_test.with_lock("lock", ttl=5) as communicator:
            order.append(f"{name} in, {type(communicator).__name__}")
            await asyncio.sleep(seconds)
            order.append(f"{name} out")

    first = asyncio.ensure_future(hold("first", 0.5))
    await asyncio.sleep(0.2)
    await asyncio.gather(first, hold("second", 0.0))
    return order


@case
async def lock_in_time(m: Any, c: Any) -> Any:
    async with m.client_of_the_test.with_lock("lock", ttl=5):
        async with m.client_of_the_test.with_lock("lock", timeout=0.3, ttl=5):
            raise AssertionError


@case
async def lock_keys(m: Any, c: Any) -> Any:
    async with m.client_of_the_test.with_lock("lock", ttl=5):
        keys = await c.keys_prefix("lock/")
    return [len(keys), await c.keys_prefix("lock/")]


@case
async def body_of_a_lock_raises(m: Any, c: Any) -> Any:
    async with m.client_of_the_test.with_lock("lock", ttl=5):
        raise KeyError("mine")


@case
async def lock_whose_time_is_over(m: Any, c: Any) -> Any:
    async with m.client_of_the_test.with_lock("lock", ttl=2):
        await asyncio.sleep(3.5)
    return "left"


@case
async def pairs(m: Any, c: Any) -> Any:
    pair = m.HostPortPair.parse("host:1234")
    same = m.HostPortPair("host", 1234)
    return [str(pair), pair.port, pair == same, m.HostPortPair.parse("host").port]


@case
async def unpairs(m: Any, c: Any) -> Any:
    return str(m.HostPortPair.parse("[::1]:2379"))


@case
async def nobody_listens(m: Any, c: Any) -> Any:
    async with m.EtcdClient(m.HostPortPair("127.0.0.1", 1)).connect() as communicator:
        await communicator.get("k")


@case
async def client_by_keywords(m: Any, c: Any) -> Any:
    pair = m.client_of_the_test.addr
    client = m.EtcdClient(addr=pair, credentials=None, secure=False, encoding="utf-8")
    async with client.connect() as communicator:
        await communicator.put("k", "v")
        return [await communicator.get("k"), client.secure, client.encoding, communicator.encoding]


@case
async def managers_by_hand(m: Any, c: Any) -> Any:
    manager = m.client_of_the_test.connect()
    communicator = await manager.__aenter__()
    await communicator.put("k", "v")
    value = await communicator.get("k")
    return [value, bool(await manager.__aexit__(None, None, None)), type(manager).__name__]


@case
async def large_answers(m: Any, c: Any) -> Any:
    for number in range(5):
        await c.put(f"large{number}", "x" * 1_000_000)
    return sum(len(value) for value in (await c.get_prefix("large")).values())


async def outcome(function: Case, package: Any, communicator: Any) -> Any:
    """What a case returns; exceptions by their names, etcetra's first one among them."""
    try:
        return {"returned": await asyncio.wait_for(function(package, communicator), PATIENCE)}
    except Exception as error:  # noqa: BLE001 - that is what is compared
        names = [cls.__name__ for cls in type(error).__mro__]
        known = ["TimeoutError", "EtcdUnknownError", "StopAsyncIteration", "TypeError", "ValueError"]
        return {"raised": next((name for name in known if name in names), names[0])}


async def main(name: str, host: str, port: str) -> None:
    package: Any = importlib.import_module(name)
    package.client_of_the_test = package.EtcdClient(package.HostPortPair(host, int(port)))
    results = {}
    for function in CASES.values():
        async with package.EtcdClient(package.HostPortPair(host, int(port))).connect() as communicator:
            await communicator.delete_range("\0", "\0")
            results[function.__name__] = await outcome(function, package, communicator)
    json.dump(results, sys.stdout, indent=1)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
