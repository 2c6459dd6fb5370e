"""The table: all faults, each once."""

from __future__ import annotations

from wire_faults import (
    _faults_connecting,
    _faults_cuts,
    _faults_frames,
    _faults_goodbyes,
    _faults_http,
    _faults_lasting,
    _faults_messages,
    _faults_resets,
    _faults_settings,
    _faults_silence,
    _faults_statuses,
    _faults_tls,
)
from wire_faults._row import Row

TABLE: dict[str, list[Row]] = {
    "connecting": _faults_connecting.ROWS,
    "connections that end": _faults_cuts.ROWS,
    "silence": _faults_silence.ROWS,
    "GOAWAY": _faults_goodbyes.ROWS,
    "RST_STREAM": _faults_resets.ROWS,
    "frames": _faults_frames.ROWS,
    "SETTINGS and windows": _faults_settings.ROWS,
    "HTTP": _faults_http.ROWS,
    "messages": _faults_messages.ROWS,
    "statuses": _faults_statuses.ROWS,
    "TLS": _faults_tls.ROWS,
    "one after the other": _faults_lasting.ROWS,
}
