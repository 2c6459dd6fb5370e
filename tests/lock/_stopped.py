"""A process that holds a lock and is stopped meanwhile: ``python -m lock._stopped ENDPOINT``."""

from __future__ import annotations

import sys
import time

import trio

from etcetra_trio import EtcdClient, LockLostError


async def hold(endpoint: str) -> None:
    passed_late = 0
    try:
        async with EtcdClient(endpoint).with_lock("stopped", lease_ttl=2) as communicator:
            lock = communicator.held_lock
            assert lock is not None
            print("held", flush=True)
            try:
                while True:
                    await trio.sleep(0.01)
                    # Not `lost`, which looks at the same clock: has the process been away for longer than the TTL?
                    passed_late += time.monotonic() > began + 4
            finally:
                for _ in range(3):
                    with trio.move_on_after(5, shield=True):
                        try:
                            await lock.put("who", "the stopped one")
                            print("written", flush=True)
                        except LockLostError:
                            print("not written", flush=True)
    except LockLostError as error:
        print(f"{type(error).__name__}, {passed_late} checkpoints after it", flush=True)


if __name__ == "__main__":
    began = time.monotonic()
    trio.run(hold, sys.argv[1])
