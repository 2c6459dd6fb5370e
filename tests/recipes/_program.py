"""What each process of ``test_processes`` does: ``python -m recipes._program JOB ENDPOINT NAMESPACE NUMBER``."""

from __future__ import annotations

import random
import sys
import time

import trio

from etcetra_trio import EtcdClient, EtcdCommunicator, EtcdError, Isolation, StmTransaction

Text = EtcdCommunicator[str]
Transaction = StmTransaction[str]
ACCOUNTS = [f"account/{number}" for number in range(6)]
ISOLATIONS: tuple[Isolation, ...] = ("serializable_snapshot", "serializable", "repeatable_reads")


async def count_and_move_money(communicator: Text, number: int) -> None:
    """Three tasks: each counts 20 times, moves money and looks whether all of it is there."""
    rng = random.Random(number)

    async def work(task: int) -> None:
        isolation = ISOLATIONS[task]

        async def count(transaction: Transaction) -> None:
            transaction.put("counter", str(int(await transaction.get("counter") or "0") + 1))

        async def move(transaction: Transaction) -> None:
            giver, taker = rng.sample(ACCOUNTS, 2)
            amount = rng.randrange(10)
            transaction.put(giver, str(int(await transaction.get(giver) or "") - amount))
            transaction.put(taker, str(int(await transaction.get(taker) or "") + amount))

        async def add_up(transaction: Transaction) -> int:
            return sum([int(await transaction.get(account) or "") for account in ACCOUNTS])

        for _ in range(20):
            await communicator.stm(count, isolation=isolation)
            await communicator.stm(move, isolation=isolation)
            print(await communicator.stm(add_up, isolation=isolation))

    async with trio.open_nursery() as nursery:
        for task in range(3):
            nursery.start_soon(work, task)


async def put_and_get(communicator: Text, number: int) -> None:
    """Two tasks put 40 items each, three get until they get a ``stop``, with a random cancellation now and then."""
    queue = communicator.queue("jobs")
    rng = random.Random(number)

    async def put(task: int) -> None:
        for index in range(40):
            await queue.put(f"{number}.{task} {index}")

    async def get() -> None:
        while True:
            with trio.move_on_after(rng.random() * 0.05):
                item = await queue.get()
                if item == "stop":
                    return
                print(item)

    async with trio.open_nursery() as nursery:
        for task in range(3):
            nursery.start_soon(get)
            if task:
                nursery.start_soon(put, task)


async def meet(communicator: Text, number: int) -> None:
    """Go through 20 barriers in turn; what is printed says when each was passed, by the store's revision."""
    for turn in range(20):
        await communicator.put(f"ready/{turn}/{number}", "")
        await communicator.barrier(f"gate/{turn}").wait()
        print((await communicator.put("passed", "")).revision)


async def hold_permits(communicator: Text, number: int) -> None:
    """Three tasks hold one of 4 permits 12 times each, and print how many held one meanwhile, by the store's word."""

    async def work(task: int) -> None:
        for _ in range(12):
            async with communicator.semaphore("permits", 4):
                await communicator.put(f"inside/{number}/{task}", "")
                await trio.sleep(0.01)
                print(await communicator.count("inside/", prefix=True))
                await communicator.delete(f"inside/{number}/{task}")

    async with trio.open_nursery() as nursery:
        for task in range(3):
            nursery.start_soon(work, task)


async def read_and_write(communicator: Text, number: int) -> None:
    """Three tasks read two values that must agree, or change them one after the other, 12 times each."""
    door = communicator.rwlock("door")
    rng = random.Random(number)

    async def work() -> None:
        for _ in range(12):
            if rng.random() < 0.3:
                async with door.write():
                    value = str(int(await communicator.get("left") or "0") + 1)
                    await communicator.put("left", value)
                    await communicator.put("right", value)
                print("wrote")
            else:
                async with door.read():
                    left = await communicator.get("left")
                    right = await communicator.get("right")
                print("the same" if left == right else "not the same")

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(work)


async def hold_whatever_happens(communicator: Text, number: int) -> None:
    """Four tasks hold something for moments, for 15 s; printed is what it was, and from when to when, by the clock."""
    rng = random.Random(number)
    door = communicator.rwlock("door")
    end = trio.current_time() + 15

    async def work() -> None:
        while trio.current_time() < end:
            kind = rng.choice(("permit", "read", "read", "write"))
            if kind == "permit":
                block = communicator.semaphore("permits", 3, timeout=5, lease_ttl=2)
            else:
                block = getattr(door, kind)(timeout=5, lease_ttl=2)
            try:
                async with block:
                    entered = time.monotonic()
                    try:
                        await trio.sleep(rng.random() * (0.5 if rng.random() < 0.1 else 0.02))
                    finally:
                        print(kind, entered, time.monotonic())
            except EtcdError:
                await trio.sleep(0.05)

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(work)


JOBS = {
    "hold": hold_whatever_happens,
    "stm": count_and_move_money,
    "queue": put_and_get,
    "barrier": meet,
    "semaphore": hold_permits,
    "rwlock": read_and_write,
}


async def main(job: str, endpoint: str, namespace: str, number: str) -> None:
    with trio.fail_after(60):
        async with EtcdClient(endpoint, namespace=namespace).connect() as communicator:
            await JOBS[job](communicator, int(number))


if __name__ == "__main__":
    job, endpoint, namespace, number = sys.argv[1:]
    trio.run(main, job, endpoint, namespace, number)
