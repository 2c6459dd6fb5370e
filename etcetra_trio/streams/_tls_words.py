"""TLS's failures in words. Pure."""

from __future__ import annotations

from typing import Final

# What the server's alert is called in OpenSSL's reason, after "ALERT_" (RFC 8446, 6.2).
_ALERTS: Final = {
    "CERTIFICATE_REQUIRED": "the server wants a client certificate: give TLSConfig(cert=..., key=...)",
    # Go says this for a client without a certificate, too, up to TLS 1.2.
    "BAD_CERTIFICATE": "the server refused the client certificate, or wants one and got none: see TLSConfig(cert=...)",
    "CERTIFICATE_EXPIRED": "the server says that the client certificate has expired",
    "CERTIFICATE_REVOKED": "the server says that the client certificate was revoked",
    "CERTIFICATE_UNKNOWN": "the server refused the client certificate",
    "UNSUPPORTED_CERTIFICATE": "the server refused the client certificate: it is not one for clients",
    "UNKNOWN_CA": "the server does not know the CA of the client certificate",
    "HANDSHAKE_FAILURE": "the server and we have no cipher in common, or it wants another client certificate",
    "PROTOCOL_VERSION": "the server does not speak TLS 1.2 or newer",
    "NO_APPLICATION_PROTOCOL": "the server does not speak HTTP/2",
    "UNRECOGNIZED_NAME": "the server has no certificate for this name",
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
        text = getattr(error, "verify_message", "")
        if code in {_HOST_NAME, _IP_ADDRESS}:
            return f"the server's certificate is for another name, not for {name!r} ({text})"
        if code == _EXPIRED:
            return "the server's certificate has expired"
        if code == _NOT_YET:
            return "the server's certificate is not valid yet (or the clock here is wrong)"
        return f"the server's certificate is not from a CA that is trusted here ({text})"
    reason = getattr(error, "reason", None)
    if reason is None:
        return str(error)
    _, alert, what = reason.partition("ALERT_")
    if alert:
        return _ALERTS.get(what, f"the server ended TLS: {what.replace('_', ' ').lower()}")
    return f"TLS failed: {reason.replace('_', ' ').lower()}"


def not_tls(first: bytes) -> str | None:
    """Why these first octets are no TLS record; None when they can be one (RFC 8446, 5.1)."""
    if 20 <= first[0] <= 23 and first[1:2] == b"\x03":
        return None
    if first.startswith(b"HTTP/"):
        return "the server speaks HTTP/1 without TLS: its address begins with http://"
    return "the server does not speak TLS: perhaps its address begins with http://"
