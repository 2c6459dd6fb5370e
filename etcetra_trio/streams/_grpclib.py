"""grpclib's client face over our connections, so that stubs generated for grpclib run under Trio.

Only constants, error classes and value types come from grpclib; no event loop of its own takes part.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import trio

from .._checks import check_seconds
from ._grpc_stream import GrpcStream
from ._metadata import encode_metadata

if TYPE_CHECKING:
    from grpclib.metadata import Deadline

    from ._endpoints import Endpoints
    from ._grpc_stream import Cardinality, ReplyT, RequestT
    from ._metadata import MetadataLike


@final
class GrpcChannel:
    """A grpclib-compatible channel over a communicator's connection: ``KVStub(communicator.channel)``.

    Unary and server-streaming stubs that betterproto2, or grpclib's own plug-in, generates run over it
    unchanged, of etcd's services and of any other at the same address; for the rest see
    :func:`etcetra_trio.streams.stub`. It can be used in the ``connect()`` block only. Keys are as the server
    has them: no namespace is put before them.
    """

    __slots__ = ("endpoints",)

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints: Endpoints = endpoints

    def request(
        self,
        name: str,
        cardinality: Cardinality,
        request_type: type[RequestT],
        reply_type: type[ReplyT],
        *,
        timeout: float | None = None,
        deadline: Deadline | None = None,
        metadata: MetadataLike | None = None,
    ) -> GrpcStream[RequestT, ReplyT]:
        """Prepare an RPC; what stubs call. Nothing is sent before the block of what this returns is entered.

        Args:
          name: The method's path (``"/etcdserverpb.KV/Range"``).
          cardinality: A ``grpclib.const.Cardinality``.
          request_type: The class of the requests: betterproto2's or protobuf's.
          reply_type: The class of the replies.
          timeout: Bounds the whole RPC, in seconds; the server is told.
          deadline: Likewise, as grpclib puts it. The earlier one holds.
          metadata: Names and values to send: bytes where the name ends in ``-bin``, text elsewhere.

        Raises:
          ValueError: metadata that cannot be sent, or a timeout below zero.
          TypeError: metadata, or a timeout, of a wrong type.
        """
        now = trio.current_time()
        ends = math.inf if timeout is None else now + check_seconds("timeout", timeout, any_wait=True)
        if deadline is not None:
            ends = min(ends, now + deadline.time_remaining())
        fields = encode_metadata(metadata or ())
        return GrpcStream(self.endpoints, name, cardinality, request_type, reply_type, fields, ends)
