"""Endpoints: every form that is taken, every mistake that is named, and no password in any message."""

from __future__ import annotations

import copy
import ipaddress
import pickle
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcetra_trio._addresses import Endpoint, EtcdCredential, HostPortPair, parse_endpoints
from etcetra_trio._errors import InvalidRequestError

GOOD = {
    "localhost:2379": Endpoint("http", "localhost", 2379),
    "localhost": Endpoint("http", "localhost", 2379),
    "etcd_1.example.com:1": Endpoint("http", "etcd_1.example.com", 1),
    "10.0.0.1:65535": Endpoint("http", "10.0.0.1", 65535),
    "http://10.0.0.1": Endpoint("http", "10.0.0.1", 2379),
    "HTTP://10.0.0.1:80/": Endpoint("http", "10.0.0.1", 80),
    "https://etcd:443": Endpoint("https", "etcd", 443),
    "[::1]": Endpoint("http", "::1", 2379),
    "[::1]:99": Endpoint("http", "::1", 99),
    "https://[2001:db8::1]:99/": Endpoint("https", "2001:db8::1", 99),
    "[fe80::1%eth0]:99": Endpoint("http", "fe80::1%eth0", 99),
    "unix:///run/etcd@1.sock": Endpoint("unix", path="/run/etcd@1.sock"),
    "unix:/run/etcd.sock": Endpoint("unix", path="/run/etcd.sock"),
    "unix://localhost:123450": Endpoint("unix", path="localhost:123450"),
    "unix:etcd.sock": Endpoint("unix", path="etcd.sock"),
    "unixs:///run/etcd.sock": Endpoint("unixs", path="/run/etcd.sock"),
    "Unixs:etcd.sock": Endpoint("unixs", path="etcd.sock"),
}

BAD = {
    "": "the host is empty",
    ":2379": "the host is empty",
    "http://": "the host is empty",
    "[]:2379": "the host is empty",
    "a:1,,b:2": "endpoint '': the host is empty",
    "localhost:": "the port '' is not a number",
    "localhost:http": "the port 'http' is not a number",
    "localhost:0": "the port 0 is not a number from 1 to 65535",
    "localhost:65536": "the port 65536 is not",
    "localhost:-1": "the port '-1' is not",
    "localhost:1_0": "the port '1_0' is not",
    "localhost:٣": "the port '٣' is not",
    "localhost:000000001": "the port '000000001' is not",
    "::1": "needs brackets, as in [::1]:2379",
    "::1:2379": "needs brackets",
    "http://::1:2379": "needs brackets",
    "[::1": "bracket of the IPv6 address is not closed",
    "[::1]2379": "'2379' follows the IPv6 address",
    "[::1]:": "the port '' is not",
    "[::g]:1": "the host '[::g]' is no IPv6 address",
    "[10.0.0.1]:1": "the host '[10.0.0.1]' is no IPv6 address",
    "[::\0]:1": "is no IPv6 address",
    "[fe80::1%]:1": "has characters that no host has",
    "[fe80::1%e 0]:1": "has characters that no host has",
    "local host:1": "the host 'local host' has characters",
    "a\r\nb": "has characters that no host has",
    "naïve.example:1": "the host 'naïve.example' has characters that no host has (non-ASCII names: as xn--…)",
    "ftp://localhost:1": "the scheme 'ftp' is none of http, https, unix, unixs",
    "://localhost:1": "the scheme '' is none of",
    "http://localhost:1/v3": "'/v3' follows the address: an endpoint has no path",
    "http://localhost:1?x=1": "'?x=1' follows the address",
    "localhost:1#x": "'#x' follows the address",
    "unix://": "the path of the unix socket is empty",
    "unix:/a\0b": "has a NUL in it",
    "https://a:1,http://b:1": "some endpoints are https and some plain http",
    "https://a:1,b:1": "some endpoints are https and some plain http",
}


@pytest.mark.parametrize("text", GOOD)
def test_good_texts(text: str) -> None:
    (endpoint,) = parse_endpoints(text)
    assert endpoint == GOOD[text]
    assert parse_endpoints(str(endpoint)) == (endpoint,)


@pytest.mark.parametrize("text", BAD)
def test_bad_texts_say_which_part_is_wrong(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_endpoints(text)
    assert BAD[text] in str(caught.value)
    if "some endpoints" not in BAD[text]:
        assert str(caught.value).startswith("endpoint ")


def test_lists_pairs_and_sequences() -> None:
    a, b = Endpoint("http", "a", 1), Endpoint("http", "b", 2379)
    assert parse_endpoints("a:1, b") == (a, b)
    assert parse_endpoints(HostPortPair("a", 1)) == (a,)
    assert parse_endpoints([HostPortPair("a", 1), "b,a:1", "http://a:1"]) == (a, b)
    assert parse_endpoints("https://a:1,unix:/s") == (
        Endpoint("https", "a", 1),
        Endpoint("unix", path="/s"),
    )


def test_secure_decides_where_the_text_does_not() -> None:
    assert parse_endpoints(["a:1", HostPortPair("b", 2), "https://c:3", "unix:/s"], secure=True) == (
        Endpoint("https", "a", 1),
        Endpoint("https", "b", 2),
        Endpoint("https", "c", 3),
        Endpoint("unixs", path="/s"),
    )
    with pytest.raises(InvalidRequestError, match="write https://"):
        parse_endpoints("http://a:1", secure=True)


def test_nothing_and_the_wrong_things_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no endpoint given"):
        parse_endpoints([])
    for wrong in (None, 2379, b"a:1", ["a:1", None], ("a", 2379)):
        with pytest.raises(
            TypeError, match="an endpoint is a str such as 'localhost:2379' or a HostPortPair"
        ):
            parse_endpoints(cast("str", wrong))


@pytest.mark.parametrize(
    "text",
    [
        "http://root:canary@localhost:2379",
        "root:canary@localhost",
        "ftp://root:canary@localhost",
        "http://root:x,canary@localhost:1",
        "http://root:canary,unix:x@localhost:1",
        "a:1,b:1,canary@localhost:1",
        "[canary@::1]:1",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_endpoints(text)
    assert "EtcdCredential(username, password)" in str(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        assert "canary" not in f"{error!r}"
        error = error.__cause__ or error.__context__
    with pytest.raises(InvalidRequestError) as caught:
        HostPortPair.parse(text)
    assert "canary" not in f"{caught.value!r}"
    with pytest.raises(InvalidRequestError) as caught:
        HostPortPair(text, 1)
    assert "canary" not in f"{caught.value!r}"


def test_properties_of_endpoints() -> None:
    tcp, tls = Endpoint("http", "fe80::1%eth0", 9), Endpoint("https", "etcd", 2379)
    unix, unixs = Endpoint("unix", path="/s"), Endpoint("unixs", path="s")
    assert [e.secure for e in (tcp, tls, unix, unixs)] == [False, True, False, True]
    assert [e.authority for e in (tcp, tls, unix, unixs)] == [
        "[fe80::1]:9",
        "etcd:2379",
        "localhost",
        "localhost",
    ]
    assert [str(e) for e in (tcp, tls, unix, unixs)] == [
        "[fe80::1%eth0]:9",
        "https://etcd:2379",
        "unix:///s",
        "unixs://s",
    ]


def test_pairs() -> None:
    assert HostPortPair("localhost", cast("int", "2379")) == HostPortPair("localhost", 2379)
    assert HostPortPair.parse("localhost") == HostPortPair("localhost", 2379)
    assert HostPortPair.parse("[::1]:5") == HostPortPair("::1", 5) == HostPortPair("[::1]", 5)
    assert str(HostPortPair("::1", 5)) == "[::1]:5"
    assert str(HostPortPair("localhost", 5)) == "localhost:5"
    pair = HostPortPair("localhost", 5)
    assert pickle.loads(pickle.dumps(pair)) == copy.deepcopy(pair) == pair
    assert len({pair, HostPortPair("localhost", 5)}) == 1


def test_bad_pairs() -> None:
    with pytest.raises(ValueError, match=r"^the host is empty$"):
        HostPortPair("", 1)
    with pytest.raises(ValueError, match=r"^the port 'http' is not a number from 1 to 65535$"):
        HostPortPair("localhost", cast("int", "http"))
    with pytest.raises(ValueError, match=r"^address 'localhost:x': the port 'x' is not a number"):
        HostPortPair.parse("localhost:x")
    with pytest.raises(TypeError, match="a host is a str, not NoneType"):
        HostPortPair(cast("str", None), 1)
    with pytest.raises(TypeError, match="a port is a number, not float"):
        HostPortPair("localhost", cast("int", 1.5))


def test_the_password_is_not_shown() -> None:
    credential = EtcdCredential("root", "canary")
    assert repr(credential) == "EtcdCredential(username='root')"
    assert "canary" not in f"{credential}"


hosts = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9_-]|[.](?=[a-z0-9_-])){0,20}", fullmatch=True),
    st.ip_addresses().map(str),
)


@given(hosts, st.integers(1, 65535), st.sampled_from(["http", "https"]))
def test_every_address_comes_back_from_its_text(host: str, port: int, scheme: str) -> None:
    (endpoint,) = parse_endpoints(f"{scheme}://{HostPortPair(host, port)}")
    assert (endpoint.scheme, endpoint.host, endpoint.port) == (scheme, host, port)
    assert parse_endpoints(str(endpoint)) == (endpoint,)
    if ":" in host:
        assert ipaddress.IPv6Address(endpoint.host).version == 6


@given(st.text())
def test_any_text_is_an_endpoint_or_a_clear_refusal(text: str) -> None:
    try:
        endpoints = parse_endpoints(text)
    except InvalidRequestError:
        return
    assert endpoints
    assert all(endpoint.authority.isascii() and str(endpoint) for endpoint in endpoints)


@given(st.text(), st.text(min_size=1))
def test_no_message_ever_holds_a_password(name: str, password: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_endpoints(f"http://{name}:canary{password}@localhost:2379")
    assert "canary" not in str(caught.value)
