"""Both of etcd's faces behind TLS, both engines: what works, and each way to fail with its own words."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from dataclasses import replace

import pytest
import trio

from etcetra_trio import ConnectionFailedError, EtcdClient, RemoteProtocolError, TLSConfig
from etcetra_trio.streams._endpoints import EngineName
from etcetra_trio.testing import EtcdServer
from tls._kit import ENGINES, FACES, NEWEST, YESTERDAY, Authority, failure

REFUSED = "the server refused the client certificate, or wants one and got none: see TLSConfig(cert=...)"


@pytest.fixture(scope="module", params=FACES, ids=lambda separate: "grpc-go" if separate else "net-http")
def guarded(request: pytest.FixtureRequest, authority: Authority) -> Generator[EtcdServer]:
    """It wants a certificate from its clients."""
    tls = authority.server("localhost", "127.0.0.1", clients=authority.ca_file, separate_http=request.param)
    with EtcdServer(tls=tls) as server:
        yield server


@pytest.mark.parametrize("engine", ENGINES)
async def test_calls_and_watches(guarded: EtcdServer, authority: Authority, engine: EngineName) -> None:
    client = EtcdClient(guarded.endpoint, tls=authority.config("client"), http2=engine)
    assert guarded.endpoint.startswith("https://")
    with trio.fail_after(20):
        async with client.connect() as communicator:
            async with communicator.watch_prefix("tls/") as events:
                large = "x" * 1_000_000
                for number in range(5):
                    await communicator.put(f"tls/{number}", large)
                assert [await communicator.get(f"tls/{number}") for number in range(5)] == [large] * 5
                assert [(await events.receive()).key for _ in range(5)] == [f"tls/{n}" for n in range(5)]
                assert len(await communicator.get_prefix("tls/")) == 5
            await communicator.delete_prefix("tls/")


@pytest.mark.parametrize("engine", ENGINES)
async def test_many_at_once(guarded: EtcdServer, authority: Authority, engine: EngineName) -> None:
    client = EtcdClient(guarded.endpoint, tls=authority.config("client"), http2=engine)
    with trio.fail_after(20):
        async with client.connect() as communicator:

            async def write_and_read(number: int) -> None:
                value = str(number) * 2000
                await communicator.put(f"many/{number}", value)
                assert await communicator.get(f"many/{number}") == value

            async with trio.open_nursery() as nursery:
                for number in range(200):
                    nursery.start_soon(write_and_read, number)


async def test_a_version_of_tls_each(guarded: EtcdServer, authority: Authority) -> None:
    """1.2 ends its handshake with the server's word, and the greeting may follow in the same packet."""
    config = authority.config("client")
    assert config.cert is not None
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)[: 1 + NEWEST]:
        context = ssl.create_default_context(cafile=config.ca)
        context.load_cert_chain(config.cert, config.key)
        context.minimum_version = context.maximum_version = version
        with trio.fail_after(10):
            async with EtcdClient(guarded.endpoint, tls=context).connect() as communicator:
                assert await communicator.get("no such key") is None


async def test_no_client_certificate(guarded: EtcdServer, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    old = {
        "the server wants a client certificate (TLSConfig(cert=...)), or knows none of our ciphers",
        REFUSED,
    }
    assert await failure(EtcdClient(guarded.endpoint, tls=context)) in old
    # In TLS 1.3 the server says so after the handshake, and plainly.
    new = {"the server wants a client certificate: give TLSConfig(cert=..., key=...)"}
    assert await failure(EtcdClient(guarded.endpoint, tls=authority.config())) in (new if NEWEST else old)


async def test_a_client_certificate_of_another_ca(
    guarded: EtcdServer, authority: Authority, stranger: Authority
) -> None:
    cert, key = stranger.issue("client", "client")
    found = await failure(EtcdClient(guarded.endpoint, tls=TLSConfig(authority.ca_file, cert, key)))
    assert found in {
        "the server does not know the CA of the client certificate",
        REFUSED,
    }


async def test_an_expired_client_certificate(guarded: EtcdServer, authority: Authority) -> None:
    cert, key = authority.issue("late", "client", not_after=YESTERDAY)
    found = await failure(EtcdClient(guarded.endpoint, tls=TLSConfig(authority.ca_file, cert, key)))
    assert found in {
        "the server says that the client certificate has expired",
        REFUSED,
    }


async def test_the_wrong_ca(guarded: EtcdServer, stranger: Authority) -> None:
    for config in (stranger.config(), TLSConfig(), True):
        found = await failure(EtcdClient(guarded.endpoint, tls=config))
        assert found.startswith("the server's certificate is not from a CA that is trusted here (")


async def test_the_wrong_host(guarded: EtcdServer, authority: Authority) -> None:
    config = replace(authority.config("client"), server_name="etcd.example")
    found = await failure(EtcdClient(guarded.endpoint, tls=config))
    assert found.startswith("the server's certificate is for another name, not for 'etcd.example' (")
    right = replace(config, server_name="localhost")  # for the address 127.0.0.1
    async with EtcdClient(guarded.endpoint, tls=right).connect() as communicator:
        await communicator.get("k")


async def test_plain_to_tls(guarded: EtcdServer) -> None:
    with trio.fail_after(10), pytest.raises(ConnectionFailedError) as caught:
        async with EtcdClient(f"127.0.0.1:{guarded.port}").connect():
            pytest.fail("it connected")
    ((_, cause),) = caught.value.endpoints
    assert type(cause) is RemoteProtocolError
    assert "perhaps it expects TLS (https://)" in str(cause)


async def test_tls_to_plain(etcd_server: EtcdServer) -> None:
    found = await failure(EtcdClient(f"127.0.0.1:{etcd_server.port}", secure=True))
    assert found.endswith("perhaps it speaks no TLS (http://)")


async def test_servers_with_a_bad_certificate(authority: Authority) -> None:
    """For another name or address, and expired."""
    async with EtcdServer(tls=authority.server("another.example", "127.0.0.2")) as server:
        found = await failure(EtcdClient(server.endpoint, tls=authority.config()))
        assert found.startswith("the server's certificate is for another name, not for '127.0.0.1' (")
        found = await failure(EtcdClient(f"localhost:{server.port}", tls=authority.config()))
        assert found.startswith("the server's certificate is for another name, not for 'localhost' (")
        unchecked = ssl.create_default_context()
        unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
        async with EtcdClient(server.endpoint, tls=unchecked).connect() as communicator:
            assert await communicator.get("k") is None
    async with EtcdServer(tls=authority.server("127.0.0.1", not_after=YESTERDAY)) as server:
        found = await failure(EtcdClient(server.endpoint, tls=authority.config()))
        assert found == "the server's certificate has expired"


async def test_each_endpoint_has_its_own_name(authority: Authority) -> None:
    async with (
        EtcdServer(tls=authority.server("localhost")) as named,
        EtcdServer(tls=authority.server("127.0.0.1")) as numbered,
    ):
        endpoints = [f"https://localhost:{named.port}", f"https://127.0.0.1:{numbered.port}"]
        client = EtcdClient(endpoints, tls=authority.config())
        for other in (named, numbered):
            other.kill()
            with trio.fail_after(20):
                async with client.connect() as communicator:
                    assert await communicator.get("k") is None
            await other.arestart()
