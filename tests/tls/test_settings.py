"""What EtcdClient takes for TLS, and what it refuses."""

from __future__ import annotations

import pickle
import re
import ssl
from collections.abc import Callable

import pytest

from etcetra_trio import EtcdClient, HostPortPair, InvalidRequestError, TLSConfig, TLSError
from etcetra_trio._tls import TLSContexts, tls_contexts


@pytest.mark.parametrize(
    ("client", "endpoint"),
    [
        (lambda: EtcdClient("localhost", tls=True), "https://localhost:2379"),
        (lambda: EtcdClient("localhost", secure=True), "https://localhost:2379"),
        (lambda: EtcdClient("localhost", tls=TLSConfig()), "https://localhost:2379"),
        (lambda: EtcdClient("localhost", tls=ssl.create_default_context()), "https://localhost:2379"),
        (lambda: EtcdClient(HostPortPair("localhost", 1), tls=True), "https://localhost:1"),
        (lambda: EtcdClient("https://localhost"), "https://localhost:2379"),
        (lambda: EtcdClient("https://localhost", tls=True), "https://localhost:2379"),
        (lambda: EtcdClient("unix:///path", tls=True), "unixs:///path"),
        (lambda: EtcdClient("unixs:///path"), "unixs:///path"),
        (lambda: EtcdClient("localhost", tls=False), "localhost:2379"),
    ],
)
def test_ways_to_ask_for_it(client: Callable[[], object], endpoint: str) -> None:
    assert repr(client()) == f"<etcetra_trio.EtcdClient of {endpoint}>"


@pytest.mark.parametrize(
    ("client", "words"),
    [
        (lambda: EtcdClient("localhost", tls=True, secure=True), "give one of them, not both"),
        (lambda: EtcdClient("localhost", tls=False, secure=True), "give one of them, not both"),
        (lambda: EtcdClient("http://localhost", tls=True), "http:// is not encrypted"),
        (lambda: EtcdClient("http://localhost", secure=True), "http:// is not encrypted"),
        (
            lambda: EtcdClient("http://localhost,https://localhost"),
            "some endpoints are https and some plain http",
        ),
        (lambda: EtcdClient("localhost", tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)), "for servers"),
        (lambda: TLSConfig(key="k"), "there is a key, but no cert"),
        (lambda: TLSConfig(ca=""), "ca is empty"),
        (lambda: TLSConfig(cert=""), "cert is empty"),
        (lambda: TLSConfig(server_name=""), "server_name is empty"),
    ],
)
def test_what_makes_no_sense(client: Callable[[], object], words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        client()


@pytest.mark.parametrize("tls", ["yes", 1, 0, "", b"ca", object()])
def test_what_is_something_else(tls: object) -> None:
    with pytest.raises(TypeError, match=r"tls is True, a TLSConfig or an ssl\.SSLContext, not"):
        EtcdClient("localhost", tls=tls)  # type: ignore[call-overload]


def test_what_our_own_context_demands() -> None:
    context = TLSContexts(TLSConfig()).context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    # RFC 9113, appendix A: what HTTP/2 forbids of TLS 1.2.
    names = [cipher["name"] for cipher in context.get_ciphers()]
    assert all(name.startswith("TLS_") or re.match("ECDHE-.*(GCM|POLY1305)", name) for name in names)


def test_a_context_of_the_users_is_used_as_it_is() -> None:
    context = ssl.create_default_context()
    contexts = tls_contexts(context)
    assert contexts.context() is context
    assert contexts.server_name is None


def test_the_error_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(TLSError("the reason")))
    assert type(error) is TLSError
    assert str(error) == "the reason"
