"""The files of TLSConfig: read again when they change, and named when they are no good."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from etcetra_trio import ConnectionFailedError, EtcdClient, TLSConfig, TLSError
from etcetra_trio._tls import TLSContexts
from etcetra_trio.testing import EtcdServer
from tls._kit import Authority, failure

NOBODY = "https://127.0.0.1:1"


def change(path: Path, source: Path) -> None:
    """As a renewal does it: another file takes the place."""
    new = path.with_suffix(".new")
    new.write_bytes(source.read_bytes())
    new.replace(path)


async def test_a_server_gets_a_new_authority(tmp_path: Path) -> None:
    """The client goes on with the same settings once its files have changed; the connection that is open stays."""
    old, new = Authority.new(tmp_path / "old"), Authority.new(tmp_path / "new")
    ca, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    tls = old.server("127.0.0.1", clients=old.ca_file)
    files = {"client": old.issue("client", "client"), "renewed": new.issue("client", "client")}
    for path, source in zip((ca, cert, key), (old.ca_file, *files["client"]), strict=True):
        path.write_bytes(source.read_bytes())
    with trio.fail_after(30):
        async with EtcdServer(tls=tls) as server:
            client = EtcdClient(server.endpoint, tls=TLSConfig(ca, cert, key))
            async with client.connect() as communicator:
                await communicator.put("k", "v")
                for path, source in zip((ca, cert, key), (new.ca_file, *files["renewed"]), strict=True):
                    change(path, source)
                assert await communicator.get("k") == "v"  # over the connection that there is
                server_files = new.server("127.0.0.1")
                for mine, its in ((tls.cert, server_files.cert), (tls.key, server_files.key)):
                    change(Path(mine), Path(its))
                change(old.ca_file, new.ca_file)  # which clients the server trusts
                await server.arestart()
                while True:
                    try:
                        assert await communicator.get("k") == "v"
                        break
                    except (ConnectionFailedError, trio.BrokenResourceError):
                        await trio.sleep(0.05)


def test_a_context_is_made_once_and_again_after_a_change(authority: Authority, tmp_path: Path) -> None:
    cert, key = (tmp_path / name for name in ("cert.pem", "key.pem"))
    for path, source in zip((cert, key), authority.issue("c", "client"), strict=True):
        path.write_bytes(source.read_bytes())
    contexts = TLSContexts(TLSConfig(authority.ca_file, cert, key))
    first = contexts.context()
    assert contexts.context() is first
    for path in (key, cert):
        os.utime(path, ns=(time.time_ns(), time.time_ns() + 1))
        second = contexts.context()
        assert second is not first
        assert contexts.context() is second
        first = second


def bad(what: str, make: Callable[[Path, Authority], TLSConfig]) -> object:
    return pytest.param(what, make, id=what[:40])


def encrypted(folder: Path, authority: Authority) -> TLSConfig:
    cert, key = authority.issue("encrypted", "client")
    path = folder / "encrypted.key"
    command: list[str | Path] = [
        "openssl",
        "pkey",
        "-in",
        key,
        "-out",
        path,
        "-aes256",
        "-passout",
        "pass:secret",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return TLSConfig(authority.ca_file, cert, path)


def not_a_pair(_folder: Path, authority: Authority) -> TLSConfig:
    return TLSConfig(authority.ca_file, authority.issue("one", "one")[0], authority.issue("two", "two")[1])


def garbage(folder: Path, _authority: Authority) -> TLSConfig:
    path = folder / "garbage.pem"
    path.write_text("no PEM at all")
    return TLSConfig(path)


@pytest.mark.parametrize(
    ("what", "make"),
    [
        bad("cannot use the CA file '{0}/no.pem': No such file", lambda f, _a: TLSConfig(f / "no.pem")),
        bad("cannot use the CA file '{0}': ", lambda f, _a: TLSConfig(f)),
        bad("cannot use the CA file '{0}/garbage.pem': no certificate or crl found", garbage),
        bad(
            "cannot use the key file '{0}/no.key': No such",
            lambda f, a: TLSConfig(a.ca_file, a.ca_file, f / "no.key"),
        ),
        bad("key values mismatch", not_a_pair),
        bad(
            "/one.pem': no private key in it: give key=... as well",
            lambda _f, a: TLSConfig(a.ca_file, a.issue("one", "one")[0]),
        ),
        bad("the private key is encrypted", encrypted),
    ],
)
async def test_files_that_are_no_good(
    what: str, make: Callable[[Path, Authority], TLSConfig], authority: Authority, tmp_path: Path
) -> None:
    client = EtcdClient(NOBODY, tls=make(tmp_path, authority))
    assert what.format(tmp_path) in await failure(client)


def test_a_pair_may_share_a_file(authority: Authority, tmp_path: Path) -> None:
    cert, key = authority.issue("both", "client")
    (tmp_path / "both.pem").write_bytes(key.read_bytes() + cert.read_bytes())
    TLSContexts(TLSConfig(authority.ca_file, str(tmp_path / "both.pem"))).context()
    with pytest.raises(TLSError, match="certificate file"):
        TLSContexts(TLSConfig(authority.ca_file, cert)).context()
