"""Learning the cluster's endpoints from itself, now and then; learners serve nobody, so they are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from .._addresses import parse_endpoints
from .._errors import EtcdError, InvalidRequestError
from .._proto._methods import MEMBER_LIST
from ..events import MembersChanged
from ._fields import bytes_tag, fields, number_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._addresses import Endpoint
    from ._dialer import Dialer
    from ._endpoints import Endpoints

_LINEARIZABLE: Final = b"\x08\x01"  # a MemberListRequest
_MEMBERS: Final = bytes_tag(2)  # of MemberListResponse
_CLIENT_URLS, _IS_LEARNER = bytes_tag(4), number_tag(5)  # of Member
#: Addresses that mean "this machine, all of them", and so nothing to others.
_UNSPECIFIED: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - to refuse them


async def keep_in_sync(endpoints: Endpoints, dialer: Dialer, interval: float) -> None:
    """Ask for the members every ``interval`` seconds, and connect to these from then on.

    Cancellation:
      Ends it.
    """
    given = dialer.endpoints
    while True:
        try:
            urls = await endpoints.call(MEMBER_LIST, _LINEARIZABLE, client_urls)
        except (EtcdError, trio.ClosedResourceError):
            urls = []  # the next time, perhaps
        found = usable(urls, secure=any(endpoint.secure for endpoint in given))
        if found and (now := merged(given, found)) != dialer.endpoints:
            dialer.endpoints = now
            dialer.trace.tell(MembersChanged(tuple(map(str, now))))
        await trio.sleep(interval)


def client_urls(response: bytes) -> list[str]:
    """The clients' URLs of all members that are no learners, in a MemberListResponse."""
    urls: list[str] = []
    for tag, value in fields(response):
        if tag == _MEMBERS:
            member = fields(value)
            if (_IS_LEARNER, b"\x01") not in member:
                urls += [url.decode("utf-8", "replace") for field, url in member if field == _CLIENT_URLS]
    return urls


def usable(urls: Sequence[str], *, secure: bool) -> list[Endpoint]:
    """Those to connect to. What members say of themselves never makes a client leave TLS, or begin it."""
    found: list[Endpoint] = []
    for url in urls:
        try:
            endpoints = parse_endpoints(url)
        except InvalidRequestError:
            continue
        found += [
            endpoint
            for endpoint in endpoints
            if endpoint.secure == secure and endpoint.host not in _UNSPECIFIED and not endpoint.path
        ]
    return found


def merged(given: Sequence[Endpoint], found: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """The members, in the order that the user gave; then what the user gave besides, which may lead there too."""
    known = [endpoint for endpoint in given if endpoint in found]
    return tuple(dict.fromkeys([*known, *found, *given]))
