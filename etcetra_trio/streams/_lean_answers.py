"""The lean engine: what the server answers, frame by frame. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpack import Decoder
from hpack.exceptions import HPACKError, OversizedHeaderListError

from . import _frames as f
from ._deframe import PREFIX, MessageError, collect, feed, final_end, give_back, unpack_prefix
from ._grpc import OK, HeaderBlock, StreamEnd, end_of_response
from ._lean_control import Control
from ._lean_memory import prepare_malloc
from ._protocol import (
    CANCEL,
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    NO_ERROR,
    PROTOCOL_ERROR,
)

if TYPE_CHECKING:
    from ._protocol import Limits, Stream

_REMEMBERED_BLOCKS = 256
_SHORT_BLOCK = 16


class Answers(Control):
    """Headers, messages and ends."""

    def __init__(
        self, authority: str, scheme: str = "http", limits: Limits | None = None, *, hold_probes: bool = True
    ) -> None:
        super().__init__(authority, scheme, limits, hold_probes=hold_probes)
        self._message_limit = self.limits.message
        self._unfinished = self.limits.unfinished
        self._stream_half = self.limits.stream_window // 2
        self._decoder = Decoder(max_header_list_size=self.limits.header_list)
        self._blocks: dict[bytes, HeaderBlock] = {}
        self._open_block: tuple[int, int, list[bytes]] | None = None

    def consumed(self, stream: Stream, cost: int) -> None:
        if self.streams.get(stream.stream_id) is stream:
            if stream.parts is not None:
                cost = give_back(stream, cost)
            else:
                stream.lent -= cost
            owed = stream.owed = stream.owed + cost
            if owed >= self._stream_half:
                self._credit(stream, 0)

    # -- data ----------------------------------------------------------------------------------------------

    def _data(self, stream: Stream, data: bytes, flags: int, length: int) -> None:
        headers = stream.headers
        if headers is None:
            self._spoiled(stream, PROTOCOL_ERROR, "the server sent data before headers")
            return
        if not headers.acceptable:
            self._foreign_body(stream, data, flags)
            return
        if data:
            self._useless = 0
        elif not flags & f.END_STREAM:
            self._count_useless()
        try:
            if stream.unary:
                collect(stream, data, stream.max_message or self._message_limit)
                self._count_held(stream)
                credit = length
            else:
                stream.receive_window -= length
                if stream.receive_window < 0:
                    self._spoiled(stream, FLOW_CONTROL_ERROR, "the server overran the stream's window")
                    return
                limit = stream.max_message or self._message_limit
                if (
                    stream.parts is None
                    and PREFIX < length == len(data)
                    and unpack_prefix(data) == (0, length - PREFIX)
                    and length - PREFIX <= limit
                ):  # mostly it is one whole message
                    stream.lent += length
                    stream.on_message(data[PREFIX:], length)
                    credit = 0
                else:
                    credit = feed(stream, data, limit) + length - len(data)
                    if self.streams.get(stream.stream_id) is stream:
                        self._count_held(stream)
                        if stream.have > self._longest:
                            self._longest = prepare_malloc(2 * stream.have)  # more of it is on its way
        except MessageError as error:
            self._refuse(stream, error.end, flags)
            return
        if flags & f.END_STREAM:
            if self.streams.get(stream.stream_id) is stream:
                self._end(stream, None)
        elif credit:
            self._credit(stream, credit)

    def _credit(self, stream: Stream, octets: int) -> None:
        owed = stream.owed + octets
        if owed >= self._stream_half and self.streams.get(stream.stream_id) is stream:
            self._out.append(f.window_update(stream.stream_id, owed))
            stream.receive_window += owed
            owed = 0
        stream.owed = owed

    def _foreign_body(self, stream: Stream, data: bytes, flags: int) -> None:
        """The body of an answer that is no gRPC: its beginning belongs into the error; more may never come."""
        if data or flags & f.END_STREAM:
            self._refuse(stream, end_of_response(stream.headers, None, data), flags)

    def _refuse(self, stream: Stream, end: StreamEnd, flags: int) -> None:
        """End a stream whose messages we do not take; reset it unless both sides have ended it."""
        if flags & f.END_STREAM and stream.end_sent:
            self._forget(stream)
            self._start_waiting()
        else:
            self.cancel(stream, CANCEL)
        stream.on_end(end)

    def _unpadded(self, payload: bytes) -> bytes:
        if not payload:
            self._violation(FRAME_SIZE_ERROR, "a padded frame without its pad length")
        if payload[0] >= len(payload):
            self._violation(PROTOCOL_ERROR, "padding longer than its frame")
        return payload[1 : len(payload) - payload[0]]

    # -- headers -------------------------------------------------------------------------------------------

    def _block(self, stream_id: int, flags: int, block: HeaderBlock) -> None:
        stream = self.streams.get(stream_id)
        if stream is None:
            self._check_known(stream_id, "HEADERS")
            self._count_late()
        elif flags & f.END_STREAM:
            self._end(stream, block)
        elif 100 <= block.http_status < 200:
            self._count_useless()
        elif stream.headers is not None:
            self._spoiled(stream, PROTOCOL_ERROR, "the server sent headers twice")
        else:
            stream.headers = block
            if not stream.unary and block.acceptable:
                stream.on_headers()

    def _header_frame(self, flags: int, stream_id: int, payload: bytes) -> None:
        fragment = payload if flags & 0x2C == f.END_HEADERS else self._fragment(payload, flags)
        if flags & f.END_HEADERS:
            block = self._blocks.get(fragment)
            self._block(stream_id, flags, self._decode(fragment) if block is None else block)
        else:
            self._open_block = (stream_id, flags, [fragment])

    def _end(self, stream: Stream, block: HeaderBlock | None) -> None:
        """The server closed the stream in order."""
        headers = stream.headers
        if block is not None and block.end is not None and headers is not None and headers.acceptable:
            end = block.end
            if end.status == OK and stream.end_sent and stream.unary and stream.parts is None:
                # The usual answer, without a detour: one whole message in one frame.
                data, length = stream.message, stream.have - PREFIX
                if (
                    data is not None
                    and length >= 0
                    and unpack_prefix(data) == (0, length)
                    and length <= self._message_limit
                ):
                    del self.streams[stream.stream_id]
                    self.held -= stream.counted
                    stream.message = data[PREFIX:]
                    self._useless = 0
                    if self._waiting:
                        self._start_waiting()
                    stream.on_end(end)
                    return
        else:
            end = end_of_response(headers, block, stream.message or b"")
        if stream.have > self._longest:
            self._longest = prepare_malloc(stream.have)
        end = final_end(stream, end, stream.max_message or self._message_limit)
        message = stream.message
        if not stream.end_sent:
            self._out.append(f.rst_stream(stream.stream_id, NO_ERROR))
        self._forget(stream)
        self._useless = 0
        stream.message = message
        if self._waiting:
            self._start_waiting()
        stream.on_end(end)

    def _fragment(self, payload: bytes, flags: int) -> bytes:
        """A HEADERS frame's part of the block, without padding and priority."""
        if flags & f.PADDED:
            payload = self._unpadded(payload)
        if flags & f.PRIORITISED:
            if len(payload) < 5:
                code = PROTOCOL_ERROR if flags & f.PADDED else FRAME_SIZE_ERROR
                self._violation(code, "a HEADERS frame too short for its priority")
            payload = payload[5:]
        return payload

    def _continuation(self, flags: int, stream_id: int, payload: bytes) -> None:
        if self._open_block is None or self._open_block[0] != stream_id:
            self._violation(PROTOCOL_ERROR, "CONTINUATION without its HEADERS")
        _, first_flags, fragments = self._open_block
        fragments.append(payload)
        if len(fragments) > self.limits.continuations or sum(map(len, fragments)) > self.limits.header_list:
            self._violation(ENHANCE_YOUR_CALM, "a header block in too many pieces")
        if flags & f.END_HEADERS:
            self._open_block = None
            self._block(stream_id, first_flags, self._decode(b"".join(fragments)))

    def _decode(self, block: bytes) -> HeaderBlock:
        if len(block) > self.limits.header_list:
            self._violation(ENHANCE_YOUR_CALM, "a header block longer than we take")
        try:
            fields = self._decoder.decode(block, raw=True)
        except OversizedHeaderListError:
            self._violation(ENHANCE_YOUR_CALM, "a header list longer than we take")
        except (HPACKError, ValueError, IndexError) as error:
            self._violation(COMPRESSION_ERROR, f"a header block that does not decode: {error!s:.100}")
        headers = HeaderBlock(tuple((bytes(name), bytes(value)) for name, value in fields))
        # Octets 0x81-0xFE are whole table entries: such a block cannot change the table, so while no other block
        # comes, the same octets mean the same fields.
        if (
            len(block) <= _SHORT_BLOCK
            and all(0x80 < octet < 0xFF for octet in block)
            and len(self._blocks) < _REMEMBERED_BLOCKS
        ):
            self._blocks[block] = headers
        else:
            self._blocks.clear()
        return headers
