"""Where the package h2 does something else than the seam's words ask for. The lean engine has no exceptions.

A case that is listed here still runs over h2, and asserts what h2 does instead. All of it is legal HTTP/2 or harmless,
which the reason says.
"""

from __future__ import annotations

EXCEPTIONS = {
    "data before headers": (
        "h2 ends the connection; a malformed answer is an error of its stream, which one may treat as one of the "
        "connection (RFC 9113, 5.4.2)"
    ),
    "headers twice": "h2 ends the connection over a second header block that does not end the stream (as above)",
    "1xx that ends the stream": "h2 ends the connection (as above)",
    "content-length that lies": "h2 counts and ends the connection (as above); gRPC gives the field no meaning",
    "stream window update of 0": "h2 ends the connection (as above)",
    "stream window overrun": "h2 ends the connection, as RFC 9113, 6.9.1 allows",
    "reserved bit of an increment": "hyperframe takes the bit for a part of the number and so for a number too large",
    "padding over the priority fields": "hyperframe holds the padding against the whole frame; an empty block is left",
    "undecodable header block": "h2 says PROTOCOL_ERROR where RFC 9113, 4.3 has COMPRESSION_ERROR",
    "settings ack with a payload": "h2 says PROTOCOL_ERROR where RFC 9113, 6.5 has FRAME_SIZE_ERROR",
    "priority of itself": "h2 ends the connection, as RFC 7540, 5.3.1 asked; RFC 9113 knows no priorities any more",
    "late headers after cancel": "h2 resets the stream once more (STREAM_CLOSED) instead of keeping quiet",
    "late headers after the end": "h2 remembers the stream and ends the connection (STREAM_CLOSED); lean forgets it",
}
