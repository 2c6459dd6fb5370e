"""``ServerTLS``: files as users name them."""

from __future__ import annotations

from pathlib import Path

import pytest

from etcetra_trio import EtcdClient, TLSConfig
from etcetra_trio.testing import EtcdServer, ServerTLS
from tls._kit import Authority


async def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """etcd itself runs elsewhere."""
    Authority.new(tmp_path / "pki").issue("me", "127.0.0.1", "localhost")
    monkeypatch.chdir(tmp_path)
    tls = ServerTLS("pki/me.pem", Path("pki/me.key"), client_ca="pki/ca.pem")
    config = TLSConfig("pki/ca.pem", "pki/me.pem", "pki/me.key")
    async with (
        EtcdServer(tls=tls) as server,
        EtcdClient(server.endpoint, tls=config).connect() as communicator,
    ):
        await communicator.put("k", "v")


@pytest.mark.parametrize("missing", ["cert", "key", "client_ca"])
def test_a_file_that_is_not_there(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    files = dict.fromkeys(("cert", "key", "client_ca"), "file") | {missing: "other"}
    with pytest.raises(FileNotFoundError, match=f"ServerTLS: {missing} is no file: '{tmp_path / 'other'}'"):
        ServerTLS(files["cert"], files["key"], files["client_ca"])
