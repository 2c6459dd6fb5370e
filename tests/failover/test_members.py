"""Endpoints that the cluster tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
import trio
from client._kit import live

from etcetra_trio import EtcdClient
from etcetra_trio._addresses import parse_endpoints
from etcetra_trio._proto._messages import etcdserverpb as pb
from etcetra_trio._proto._wire import DecodeError
from etcetra_trio.streams._members import client_urls, merged, usable
from etcetra_trio.testing import EtcdCluster


def response(*members: pb.Member) -> bytes:
    return bytes(pb.MemberListResponse(header=pb.ResponseHeader(cluster_id=7), members=list(members)))


def test_learners_serve_nobody() -> None:
    data = response(
        pb.Member(
            id=1, name="a", peer_ur_ls=["http://a:2380"], client_ur_ls=["http://a:2379", "http://b:2379"]
        ),
        pb.Member(
            id=2, name="b", peer_ur_ls=["http://l:2380"], client_ur_ls=["http://l:2379"], is_learner=True
        ),
        pb.Member(id=3, peer_ur_ls=["http://c:2380"]),
        pb.Member(id=(1 << 64) - 1, name="ü", client_ur_ls=["http://[::1]:2379"]),
    )
    assert client_urls(data) == ["http://a:2379", "http://b:2379", "http://[::1]:2379"]
    for length in range(len(data)):
        with suppress(DecodeError):
            assert len(client_urls(data[:length])) < 3


def test_what_members_say_is_not_trusted() -> None:
    urls = [
        "http://a:2379",
        "https://b:2379",
        "unix://c",
        "http://0.0.0.0:2379",
        "http://[::]:1",
        "ftp://d",
        "",
        "x y",
    ]
    assert [str(endpoint) for endpoint in usable(urls, secure=False)] == ["a:2379"]
    assert [str(endpoint) for endpoint in usable(urls, secure=True)] == ["https://b:2379"]


def test_the_users_order_first_and_the_users_others_last() -> None:
    given = parse_endpoints("gone:1,b:1,a:1")
    found = parse_endpoints("new:1,a:1,b:1")
    assert [str(endpoint) for endpoint in merged(given, found)] == ["b:1", "a:1", "new:1", "gone:1"]


async def test_a_client_that_was_told_of_one_member_survives_it(cluster: EtcdCluster) -> None:
    await cluster.await_ready()
    first = cluster.members[0]
    async with EtcdClient(first.endpoint, sync_interval=0.2).connect() as communicator:
        with trio.fail_after(10):
            while len(communicator._endpoints._dialer.endpoints) < 3:
                await trio.sleep(0.01)
            assert {str(each) for each in communicator._endpoints._dialer.endpoints} == {
                endpoint.removeprefix("http://") for endpoint in cluster.endpoints
            }
            first.kill()
            assert await communicator.get("k") is None
            assert live(communicator).endpoint not in first.endpoint
            await first.arestart()
            await cluster.await_ready()


@pytest.mark.parametrize("interval", [0, -1, float("inf"), float("nan"), True, "1"])
def test_bad_intervals(interval: float) -> None:
    makers: list[tuple[Callable[[], object], str]] = [
        (lambda: EtcdClient("a:1", sync_interval=interval), "sync_interval"),
        (lambda: EtcdClient("a:1", call_timeout=interval), "call_timeout"),
        (lambda: EtcdClient("a:1", ping_interval=interval), "ping_interval"),
        (lambda: EtcdClient("a:1", ping_timeout=interval), "ping_timeout"),
    ]
    for make, name in makers:
        with pytest.raises((ValueError, TypeError), match=name):
            make()
