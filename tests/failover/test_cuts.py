"""Half-open connections, between processes: found within the stated bound, by calls and by watches."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import trio

from etcetra_trio import EtcdClient
from etcetra_trio.testing import EtcdServer, FaultProxy

#: The default: PING after 6 s, time-out 3 s, and half a second for the rest.
BOUND = 9.5
ROOT = str(Path(__file__).parents[2])

#: Another program, which says when something changed for it.
CLIENT = """
import json, sys, time
import trio
from etcetra_trio import EtcdClient, EtcdError

def say(what, **more):
    print(json.dumps({"what": what, "at": time.time(), **more}), flush=True)

async def main(near, far):
    async with EtcdClient([near, far]).connect() as communicator:
        async with communicator.watch_prefix("w/") as events, trio.open_nursery() as nursery:

            async def watch():
                async for event in events:
                    say("event", key=event.key)

            async def call(what, function, *args):
                say("began " + what)
                try:
                    await function(*args)
                except EtcdError as error:
                    say(what, outcome=error.outcome, error=str(error.__cause__ or error))
                else:
                    say(what)

            nursery.start_soon(watch)
            await communicator.get("k")
            say("ready")
            sys.stdin.readline()
            nursery.start_soon(call, "read", communicator.get, "k")
            nursery.start_soon(call, "write", communicator.put, "k", "v")
            await trio.to_thread.run_sync(sys.stdin.readline)
            nursery.cancel_scope.cancel("told to end")

trio.run(main, *sys.argv[1:])
"""


async def test_a_cut_between_two_processes(
    etcd_server: EtcdServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The path to one endpoint swallows everything; nobody closes anything."""
    async with FaultProxy(etcd_server.endpoint) as proxy, trio.open_nursery() as nursery:
        client: trio.Process = await nursery.start(
            partial(trio.run_process, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT),
            [sys.executable, "-c", CLIENT, proxy.endpoint, etcd_server.endpoint],
        )
        assert client.stdin is not None
        assert client.stdout is not None
        said: dict[str, dict[str, object]] = {}
        buffered = b""
        with trio.fail_after(40):

            async def hear(*words: str) -> None:
                nonlocal buffered
                while not said.keys() >= set(words):
                    buffered += await client.stdout.receive_some()  # type: ignore[union-attr]
                    *lines, buffered = buffered.split(b"\n")
                    said.update((entry["what"], entry) for entry in map(json.loads, lines))

            await hear("ready")
            proxy.black_hole()
            await client.stdin.send_all(b"\n")
            await hear("began read", "began write")
            put = trio.current_time()
            # Through another door: the watch must hear of it, though its connection is dead.
            async with EtcdClient(etcd_server.endpoint).connect() as other:
                await other.put("w/1", "")
            await hear("read", "write", "event")
            assert trio.current_time() - put < BOUND + 2
            await client.stdin.send_all(b"\n")
        began = float(str(said["began read"]["at"]))
        took = {what: float(str(said[what]["at"])) - began for what in ("read", "write", "event")}
        assert "error" not in said["read"]
        assert said["write"]["outcome"] == "unknown"
        assert "silent" in str(said["write"]["error"])
        assert max(took.values()) <= BOUND
        with capsys.disabled():
            print("\na cut path is left after " + ", ".join(f"{took[what]:.2f} s ({what})" for what in took))


#: The same within a network of its own, which is then taken down: packets just vanish.
ALONE = """
import json, subprocess, sys, time
import trio
from etcetra_trio import EtcdClient, EtcdError
from etcetra_trio.testing import EtcdServer

async def main():
    took = {}
    async with EtcdServer() as server, EtcdClient([server.endpoint, server.unix_endpoint]).connect() as communicator:
        async with communicator.watch("w") as events, trio.open_nursery() as nursery:
            await communicator.get("k")

            async def note(what, function, *args):
                try:
                    await function(*args)
                except EtcdError as error:
                    what += " " + str(error.outcome)
                took[what] = time.time() - began

            subprocess.run(["ip", "link", "set", "lo", "down"], check=True)
            began = time.time()
            nursery.start_soon(note, "read", communicator.get, "k")
            nursery.start_soon(note, "write", communicator.put, "k", "v")
            nursery.start_soon(note, "event", events.receive)
            async with EtcdClient(server.unix_endpoint).connect() as other:
                await other.put("w", "")
    print(json.dumps(took))

trio.run(main)
"""


@pytest.mark.long
def test_a_real_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the system lets us have a network of our own."""
    enter = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    allowed = shutil.which("unshare") and subprocess.run([*enter, "true"], check=False).returncode == 0
    if not allowed:
        with capsys.disabled():
            print("\nno network namespaces here: that a cut of the network itself is found was NOT shown")
        return
    done = subprocess.run(
        [*enter, sys.executable, "-c", ALONE], capture_output=True, timeout=60, check=True, cwd=ROOT
    )
    took = json.loads(done.stdout)
    assert took.keys() == {"read", "write unknown", "event"}
    assert max(took.values()) <= BOUND
    with capsys.disabled():
        print(
            "\na network that is gone is left after "
            + ", ".join(f"{took[what]:.2f} s ({what})" for what in took)
        )
