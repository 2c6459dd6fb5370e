"""TLS's failures in words. Pure."""

from __future__ import annotations

from typing import Final

# What OpenSSL calls the server's alerts (RFC 8446, 6.2).
_ALERTS: Final = {
    "certificate required": "the server wants a client certificate: give TLSConfig(cert=..., key=...)",
    # Go says this for a client without a certificate, too, up to TLS 1.2.
    "bad certificate": "the server refused the client certificate, or wants one and got none: see TLSConfig(cert=...)",
    "certificate expired": "the server says that the client certificate has expired",
    "certificate revoked": "the server says that the client certificate was revoked",
    "certificate unknown": "the server refused the client certificate",
    "unsupported certificate": "the server refused the client certificate: it is not one for clients",
    "unknown ca": "the server does not know the CA of the client certificate",
    "handshake failure": "the server wants a client certificate (TLSConfig(cert=...)), or knows none of our ciphers",
    "protocol version": "the server and we have no version of TLS in common: it must be 1.2 or newer",
    "no application protocol": "the server does not speak HTTP/2",
    "unrecognized name": "the server has no certificate for this name",
}

# X509_verify_cert's codes.
_EXPIRED, _NOT_YET, _HOST_NAME, _IP_ADDRESS = 10, 9, 62, 64

CLOSED: Final = (
    "the server closed the connection during the TLS handshake: perhaps it speaks no TLS (http://)"
)


def tls_reason(error: OSError, name: str) -> str:
    """Why TLS with the server ``name`` failed."""
    code = getattr(error, "verify_code", None)
    if code is not None:
        text = getattr(error, "verify_message", "").removesuffix(".")
        if code in {_HOST_NAME, _IP_ADDRESS}:
            return (
                f"the server's certificate is for another name, not for {name!r} ({text}): "
                "see TLSConfig(server_name=...)"
            )
        if code == _EXPIRED:
            return "the server's certificate has expired"
        if code == _NOT_YET:
            return "the server's certificate is not valid yet (or the clock here is wrong)"
        return (
            f"the server's certificate is not from a CA that is trusted here ({text}): see TLSConfig(ca=...)"
        )
    # OpenSSL's text, between its library and a line of its source. (Not its reason: that is not always there.)
    text = str(error).rpartition("] ")[2].partition(" (_ssl.c")[0]
    _, alert, what = text.partition("alert ")
    return _ALERTS.get(what, f"the server ended TLS: {what}") if alert else f"TLS failed: {text}"


def not_tls(first: bytes) -> str | None:
    """Why these first octets are no TLS record; None when they can be one (RFC 8446, 5.1)."""
    if 20 <= first[0] <= 23 and first[1:2] == b"\x03":
        return None
    if first.startswith(b"HTTP/"):
        return "the server speaks HTTP/1 without TLS: its address begins with http://"
    return "the server does not speak TLS: perhaps its address begins with http://"
