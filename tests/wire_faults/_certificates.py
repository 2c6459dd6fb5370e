"""Certificates that clients trust, and one that they do not."""

from __future__ import annotations

import ssl
from functools import cache

import trustme

SERVER_NAME = "etcd"


@cache
def authority(*, stranger: bool) -> trustme.CA:
    """The CA that clients trust, or another one."""
    return trustme.CA()


@cache
def server_context(*protocols: str, stranger: bool = False) -> ssl.SSLContext:
    """For a server with a certificate that is good, or a stranger's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority(stranger=stranger).issue_cert(SERVER_NAME).configure_cert(context)
    if protocols:
        context.set_alpn_protocols(protocols)
    return context
