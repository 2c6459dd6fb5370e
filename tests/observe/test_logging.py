"""What the loggers are told, and at which level."""

from __future__ import annotations

import logging

import pytest
import trio
from failover._scripted import serving
from test_package import fresh_python

from etcetra_trio import EtcdClient, LeaseLostError
from etcetra_trio.streams._endpoints import Endpoints
from etcetra_trio.testing import EtcdServer, FaultProxy
from observe._kit import bare


async def test_normal_life_is_debug(etcd_server: EtcdServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "etcetra_trio")
    async with EtcdClient(etcd_server.endpoint, namespace="/observe/log/").connect() as communicator:
        await communicator.put("k", "v")
        async with communicator.lease(10) as lease, communicator.watch("k") as watch:
            await communicator.put("k", "w", lease=lease)
            await watch.receive()
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}
    texts = caplog.messages
    assert any(
        text.startswith(f"connected to {bare(etcd_server.endpoint)} (127.0.0.1, for calls)") for text in texts
    )
    assert any(text.startswith("/etcdserverpb.KV/Put at") and ": OK " in text for text in texts)
    assert any(text.startswith("watch 1: begins at revision ") for text in texts)
    assert {record.name for record in caplog.records} == {
        f"etcetra_trio.{name}" for name in ("connection", "call", "watch")
    }


async def test_losses_are_warnings(etcd_server: EtcdServer, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        FaultProxy(etcd_server.endpoint) as proxy,
        EtcdClient(proxy.endpoint, namespace="/observe/log/").connect() as communicator,
        EtcdClient(etcd_server.endpoint).connect() as other,
    ):
        assert type(communicator._endpoints) is Endpoints, "calls are not looked at"
        with trio.fail_after(20), pytest.raises(LeaseLostError):
            async with communicator.lease(10) as lease:
                proxy.cut()
                await communicator.get("k")
                await other.revoke_lease(lease.id)
                await trio.sleep_forever()
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    told = [(record.name, record.getMessage()) for record in caplog.records]
    assert told[-1][0] == "etcetra_trio.lease"
    assert told[-1][1].startswith(f"lease {lease.id:x} is lost: the server does not know it any more")
    lost = [text for name, text in told if name == "etcetra_trio.connection" and "was lost" in text]
    assert lost
    assert lost[0].startswith(f"the connection to {bare(proxy.endpoint)} (127.0.0.1, for ")


async def test_calls_are_told_where_their_logger_wants_it() -> None:
    logger = logging.getLogger("etcetra_trio.call")
    async with serving() as server:
        client = EtcdClient(server.endpoint)
        async with client.connect() as communicator:
            assert communicator._endpoints.plain
        logger.setLevel(logging.DEBUG)
        try:
            async with client.connect() as communicator:
                assert not communicator._endpoints.plain
        finally:
            logger.setLevel(logging.NOTSET)


def test_a_program_without_logging_sees_nothing() -> None:
    program = """
import contextlib, io, trio
from etcetra_trio import EtcdClient
errors = io.StringIO()
async def main():
    async with EtcdClient("127.0.0.1:1").connect(): pass
with contextlib.redirect_stderr(errors):
    try: trio.run(main)
    except OSError: print("failed", repr(errors.getvalue()))
"""
    assert fresh_python(program) == "failed ''\n"
