"""The engine over the package h2: the reference that the lean engine is measured against (``http2="h2"``).

h2 is given one frame at a time, so that what came before a broken frame is told before the breach is. Two kinds of frames
never reach h2 as they come: GOAWAY, after which h2 would drop what is in flight (python-hyper/h2 #1181), and grpc-go's
bandwidth probe, which h2 would answer at once. Everything else about HTTP/2 is h2's own judgement.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamReset,
    TrailersReceived,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame
