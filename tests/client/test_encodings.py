"""Text and bytes: what clients and calls take and give; what does not decode is an error that names the key."""

from __future__ import annotations

import copy
import pickle

import pytest

from etcetra_trio import CompareKey, EncodingError, EtcdClient, EtcdCommunicator, KeyValue
from etcetra_trio.testing import EtcdServer

NOT_UTF8 = b"\xff\xfe\x00"


async def test_a_client_of_bytes_gives_bytes_everywhere(etcd_server: EtcdServer) -> None:
    client = EtcdClient(etcd_server.endpoint, encoding=None, namespace=b"/bytes\xff/")
    async with client.connect() as communicator:
        await communicator.delete_prefix(b"")
        first = (await communicator.put(b"k\xff", NOT_UTF8)).revision
        assert (await communicator.put(b"k\xff", b"", prev_kv=True)).prev_value == NOT_UTF8
        record = KeyValue(b"k\xff", b"", first, first + 1, 2, 0)
        assert await communicator.get(b"k\xff") == b""
        assert await communicator.get(b"k\xff", revision=first) == NOT_UTF8
        assert await communicator.get_prefix(b"k") == {b"k\xff": b""}
        assert await communicator.get_range(b"k", b"\0") == {b"k\xff": b""}
        assert await communicator.keys_prefix(b"k\xff") == [b"k\xff"]
        assert await communicator.keys_range(b"\0", b"l") == [b"k\xff"]
        assert (await communicator.range(b"k\xff")).kvs == [record]
        assert [kv async for kv in communicator.iter_range(b"", prefix=True)] == [record]
        assert await communicator.count(b"k\xff") == 1
        compares = [CompareKey(b"k\xff").value == b"", CompareKey(b"k", prefix=True).version == 2]
        result = await communicator.txn_compare(compares, lambda success, _failure: success.get_prefix(b"k"))
        assert result == [{b"k\xff": b""}]
        assert (await communicator.delete(b"k\xff", prev_kv=True)).prev == [record]


async def test_a_client_of_bytes_takes_no_text(etcd_server: EtcdServer) -> None:
    async with EtcdClient(etcd_server.endpoint, encoding=None).connect() as communicator:
        for call in (
            lambda: communicator.get("k"),
            lambda: communicator.put(b"k", "v"),
            lambda: communicator.get_prefix("k"),
            lambda: communicator.txn(lambda action: action.get("k")),
        ):
            with pytest.raises(TypeError, match="encoding=None"):
                await call()


async def test_a_client_of_text_takes_bytes_too(communicator: EtcdCommunicator[str]) -> None:
    await communicator.put(b"k", b"v\xc3\xbc")
    assert await communicator.get(b"k") == "vü"
    assert await communicator.get_prefix(b"k") == {"k": "vü"}


async def test_each_call_can_have_its_own_encoding(communicator: EtcdCommunicator[str]) -> None:
    await communicator.put("k", "ü", encoding="latin-1")
    raw = b"\xfc"
    assert await communicator.get(b"k", encoding=None) == raw
    assert await communicator.get("k", encoding="latin-1") == "ü"
    assert await communicator.get_prefix(b"k", encoding=None) == {b"k": raw}
    assert await communicator.get_range(b"k", b"l", encoding=None) == {b"k": raw}
    assert await communicator.keys_prefix(b"k", encoding=None) == [b"k"]
    assert await communicator.keys_range(b"k", b"l", encoding=None) == [b"k"]
    assert (await communicator.range(b"k", encoding=None)).kvs[0].value == raw
    assert [kv.value async for kv in communicator.iter_range(b"k", encoding=None)] == [raw]
    assert await communicator.txn(lambda action: action.get(b"k"), encoding=None) == [raw]
    compares = [CompareKey("k").value == "ü"]
    result = await communicator.txn_compare(
        compares, lambda success, _failure: success.get("k"), encoding="latin-1"
    )
    assert result == ["ü"]
    assert (await communicator.put("k", "ä", prev_kv=True, encoding="latin-1")).prev_value == "ü"
    assert (await communicator.delete(b"k", prev_kv=True, encoding=None)).prev[0].value == b"\xe4"
    await communicator.put("k", "ü", encoding="latin-1")
    assert (await communicator.delete_prefix(b"k", prev_kv=True, encoding=None)).prev[0].value == raw
    await communicator.put("k", "ü", encoding="latin-1")
    assert (await communicator.delete_range("k", "l", prev_kv=True, encoding="latin-1")).prev[0].value == "ü"


async def test_a_value_that_does_not_decode_names_its_key(communicator: EtcdCommunicator[str]) -> None:
    await communicator.put("bad key", NOT_UTF8)
    await communicator.put("good key", "fine")
    for call in (
        lambda: communicator.get("bad key"),
        lambda: communicator.get_prefix(""),
        lambda: communicator.get_range("bad", "bae"),
        lambda: communicator.range("", prefix=True),
        lambda: communicator.iter_range("", prefix=True).receive(),
        lambda: communicator.txn(lambda action: action.get("bad key")),
        lambda: communicator.txn(lambda action: action.get_prefix("")),
    ):
        with pytest.raises(EncodingError) as caught:
            await call()
        assert (caught.value.key, caught.value.encoding) == ("bad key", "utf-8")
        assert "the key 'bad key'" in str(caught.value)
        assert "encoding=None" in str(caught.value)
        assert "xff" not in str(caught.value), "the value itself is nobody's business"
    assert await communicator.keys_prefix("") == ["bad key", "good key"]
    assert await communicator.count("", prefix=True) == 2


async def test_a_previous_value_that_does_not_decode(communicator: EtcdCommunicator[str]) -> None:
    """The write has happened; the error is about the answer."""
    await communicator.put("k", NOT_UTF8)
    with pytest.raises(EncodingError, match="'k'"):
        await communicator.put("k", "new", prev_kv=True)
    assert await communicator.get("k") == "new"
    await communicator.put("k", NOT_UTF8)
    with pytest.raises(EncodingError, match="'k'"):
        await communicator.delete("k", prev_kv=True)
    assert await communicator.get("k") is None


async def test_a_key_that_does_not_decode(communicator: EtcdCommunicator[str]) -> None:
    await communicator.put(b"k\xff", "v")
    for call in (
        lambda: communicator.get_prefix("k"),
        lambda: communicator.keys_prefix("k"),
        lambda: communicator.range("k", prefix=True),
    ):
        with pytest.raises(EncodingError) as caught:
            await call()
        assert caught.value.key == b"k\xff"
    assert await communicator.keys_prefix(b"k", encoding=None) == [b"k\xff"]
    assert await communicator.get(b"k\xff") == "v", "the key is given, and does not come back"


async def test_iter_range_goes_on_after_a_record_that_does_not_decode(
    communicator: EtcdCommunicator[str],
) -> None:
    for key, value in (("1", b"a"), ("2", NOT_UTF8), ("3", b"c")):
        await communicator.put(key, value)
    async with communicator.iter_range("", prefix=True) as records:
        assert (await records.receive()).value == "a"
        with pytest.raises(EncodingError) as caught:
            await records.receive()
        assert caught.value.key == "2"
        assert (await records.receive()).value == "c"


async def test_text_that_the_encoding_does_not_know(communicator: EtcdCommunicator[str]) -> None:
    with pytest.raises(EncodingError, match="'k'"):
        await communicator.put("k", "\N{SNOWMAN}", encoding="latin-1")
    with pytest.raises(EncodingError) as caught:
        await communicator.put("k\ud800", "v")  # half of a surrogate pair
    assert caught.value.key == "k\ud800"
    assert await communicator.count("", prefix=True) == 0


async def test_the_error_can_be_copied(communicator: EtcdCommunicator[str]) -> None:
    await communicator.put("k", NOT_UTF8)
    with pytest.raises(EncodingError) as caught:
        await communicator.get("k")
    for twin in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert str(twin) == str(caught.value)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16-le", "cp1252"])
async def test_other_encodings(etcd_server: EtcdServer, encoding: str) -> None:
    client = EtcdClient(etcd_server.endpoint, encoding=encoding, namespace="other encodings/")
    async with client.connect() as communicator:
        await communicator.delete_prefix("")
        await communicator.put("key", "value")
        assert await communicator.get_prefix("") == {"key": "value"}
        assert await communicator.get_prefix("k") == {"key": "value"}
        assert await communicator.get_range("k", "\0") == {"key": "value"}
        assert await communicator.get("key".encode(encoding), encoding=None) == "value".encode(encoding)
