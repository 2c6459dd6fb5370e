"""Networks of their own for the members, where this process is root in one (``unshare --net``): real faults.

Each member has a network namespace, which a process holds that ends with ours, and a cable to a switch, on which the
clients and the proxies are as well.
"""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

HERE = "198.51.100.254"  # reserved for documentation, so nobody else's


def address(number: int) -> str:
    """Of a member."""
    return f"198.51.100.{number + 1}"


class Namespaces:
    """The networks of some members, by number."""

    def __init__(self, holders: list[int]) -> None:
        self._holders = holders

    def wrapped(self, number: int, etcd: Path, folder: Path) -> Path:
        """A program that is etcd in the network of a member."""
        path = folder / f"etcd-in-{number}"
        path.write_text(f'#!/bin/sh\nexec {" ".join(self._enter(number))} {etcd} "$@"\n')
        path.chmod(0o700)
        return path

    def isolate(self, number: int) -> None:
        """Pull the cable."""
        _run("ip", "link", "set", f"member{number}", "down")

    def silence(self, number: int) -> None:
        """Nothing that it sends arrives; it hears all others."""
        for other in (HERE, *(address(each) for each in range(len(self._holders)) if each != number)):
            _run(*self._enter(number), "ip", "route", "add", "blackhole", f"{other}/32")

    def narrow(self, number: int) -> None:
        """A line of 400 kbit/s, and what is too much gets lost."""
        limit = ["rate", "400kbit", "burst", "10k", "latency", "50ms"]
        _run("tc", "qdisc", "replace", "dev", f"member{number}", "root", "tbf", *limit)

    def heal(self, number: int) -> None:
        """As at the beginning."""
        _run("ip", "link", "set", f"member{number}", "up")
        _run(*self._enter(number), "ip", "route", "flush", "type", "blackhole")
        _run("tc", "qdisc", "replace", "dev", f"member{number}", "root", "pfifo")

    def _enter(self, number: int) -> list[str]:
        return ["nsenter", f"--net=/proc/{self._holders[number]}/ns/net"]


@contextmanager
def namespaces(count: int) -> Generator[Namespaces]:
    """Set up networks for so many members.

    Raises:
      subprocess.CalledProcessError: this process may not, or there is a switch in its own network already.
    """
    _run("ip", "link", "add", "switch", "type", "bridge")
    _run("ip", "address", "add", f"{HERE}/24", "dev", "switch")
    _run("ip", "link", "set", "switch", "up")
    _run("ip", "link", "set", "lo", "up")
    holders = [
        subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(count)
    ]
    try:
        for number, holder in enumerate(holders):
            _await_cat(holder)
            end = f"member{number}"
            _run("ip", "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
            _run("ip", "link", "set", end, "master", "switch", "up")
            enter = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip"]
            _run(*enter, "address", "add", f"{address(number)}/24", "dev", "eth0")
            _run(*enter, "link", "set", "eth0", "up")
            _run(*enter, "link", "set", "lo", "up")
        yield Namespaces([holder.pid for holder in holders])
    finally:
        for holder in holders:
            holder.communicate()
        _run("ip", "link", "delete", "switch")


def _await_cat(holder: subprocess.Popen[bytes]) -> None:
    """Wait until it is in its own network: then it gives back what it is given."""
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write(b"\n")
    holder.stdin.flush()
    holder.stdout.readline()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=10)
