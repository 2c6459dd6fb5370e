"""One etcd process: its folder, ports, command line, life and death."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import trio

from ._binary import EtcdBinary
from ._server_tls import ServerTLS
from ._steps import POLL, Steps, http_get

__all__ = ["ATTEMPTS", "START_TIMEOUT", "EtcdProcess", "EtcdServerError", "PortTakenError"]

START_TIMEOUT = 30.0  # seconds; an idle machine needs less than one
TERM_TIMEOUT = 10.0  # seconds that a restart gives etcd to leave by itself
ATTEMPTS = 5  # with new ports each time
LOG_LINES = 40  # in messages; etcd's usage page, which follows the complaint about a bad flag, is 30
PORTS = range(20000, 30000)  # not given to outgoing connections: nobody takes the port of a dead server
SOCKET = "etcd:0"  # up to 3.4 the URL of a unix socket must look like host:port

# Ends etcd when the process that started it is gone, however that happened. It is told by the end of its stdin, and
# knows etcd by a pidfd, which never means another process. (PR_SET_PDEATHSIG would follow the starting *thread*.)
# The log stays: such an end is no good end.
GUARD = """
import contextlib, select, shutil, signal, sys
sys.stdin.buffer.read()
pidfd = int(sys.argv[1])
with contextlib.suppress(ProcessLookupError):
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
select.select([pidfd], [], [])
shutil.rmtree(sys.argv[2], ignore_errors=True)
"""


class EtcdServerError(RuntimeError):
    """An etcd did not start, died by itself, or did not become what was waited for; the message shows its log."""


class PortTakenError(EtcdServerError):
    """Somebody took a port between our look at it and etcd's."""


class EtcdProcess:
    """What :class:`EtcdMember` shows to users, with the parts that they do not need."""

    def __init__(
        self,
        name: str,
        binary: EtcdBinary,
        listen: str,
        flags: Sequence[str],
        tls: ServerTLS | None = None,
    ) -> None:
        self.name = name
        self.binary = binary
        self.listen = listen
        self.keep_log = False
        self.initial_cluster: str = ""
        self.cluster_token: str = ""
        self.client_port: int = 0
        self.peer_port: int = 0
        self._flags = list(flags)
        self._tls = tls
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._log_start = 0  # where in the log the present process began
        self._paused = False
        self._end_wanted = False

    # Where it lives

    @property
    def folder(self) -> Path:
        if self._folder is None:
            raise RuntimeError(f"{self.name} was not started: use it in a `with` or `async with` block")
        return self._folder

    @property
    def log_path(self) -> Path:
        return self.folder / "etcd.log"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def socket_path(self) -> Path:
        return self.folder / SOCKET

    @property
    def pid(self) -> int:
        return self._started().pid

    @property
    def client_url(self) -> str:
        """Where clients reach it."""
        return self._url("http" if self._tls is None else "https", self.client_port)

    def _url(self, scheme: str, port: int) -> str:
        host = f"[{self.listen}]" if ":" in self.listen else self.listen
        return f"{scheme}://{host}:{port}"

    def prepare(self) -> None:
        """Choose a folder and ports (new ports and no data when called again) for a cluster of this process alone."""
        if self._folder is None:
            # The system's usual place, which TMPDIR moves. Memory would not be faster: fsync is left out.
            self._folder = Path(tempfile.mkdtemp(prefix="etcetra-trio-etcd-"))
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.client_port = self._free_port()
        self.peer_port = self._free_port()
        self.initial_cluster = f"{self.name}={self._url('http', self.peer_port)}"
        self.cluster_token = secrets.token_hex(8)

    # Its life

    def spawn(self) -> None:
        """Start the process on the ports and the data that there are."""
        client, peer, local = self.client_url, self._url("http", self.peer_port), f"unix://{SOCKET}"
        tls = self._tls
        if tls is not None and tls.separate_http:
            listen = ["--listen-client-urls", client, "--listen-client-http-urls", local]
        else:
            listen = ["--listen-client-urls", f"{client},{local}"]
        command = [
            *(str(self.binary.path), "--name", self.name, "--data-dir", str(self.data_dir)),
            *(*listen, "--advertise-client-urls", client, *(() if tls is None else tls.flags())),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", self.initial_cluster, "--initial-cluster-token", self.cluster_token),
            *("--logger", "zap", *(["--unsafe-no-fsync"] if self.binary.skips_fsync else [])),
            *self._flags,
        ]
        # etcd takes every flag from the environment too; only this one is the machine's and not the user's etcd's.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("ETCD_") or name == "ETCD_UNSUPPORTED_ARCH"
        }
        self.socket_path.unlink(missing_ok=True)  # a killed 3.4 is stopped by its own old socket
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            # A session of its own: Ctrl-C in the terminal is for the tests, which end etcd themselves.
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._paused = self._end_wanted = False
        self._set_guard(self._process.pid)

    def start(self) -> Steps[None]:
        """Start alone on fresh ports, until it serves."""
        for attempt in range(ATTEMPTS):
            self.prepare()
            self.spawn()
            try:
                yield from self.ready()
            except PortTakenError:
                self.kill()
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return

    def ready(self) -> Steps[None]:
        """Wait until it answers linearizable reads.

        It is asked through the socket in its own folder, where no other server can answer. etcd opens that socket
        after its ports, or not at all.
        """
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            self.require_running()
            # A question asked before there is a leader can hang for seconds after there is one.
            if (yield from self._is_healthy(min(deadline, time.monotonic() + 1))):
                return
            yield POLL
        state = "stopped by stop()" if self._paused else "running, but not healthy"
        raise self.failure(f"is not ready after {START_TIMEOUT:g} s: it is {state}")

    def restart(self) -> Steps[None]:
        """End it gently if it runs, and start it again with its data, until it serves."""
        if self._started().poll() is None:
            self.terminate()
            deadline = time.monotonic() + TERM_TIMEOUT
            while self._started().poll() is None and time.monotonic() < deadline:
                yield POLL
        self.kill()
        self.spawn()
        yield from self.ready()

    def is_leader(self) -> Steps[bool]:
        """Whether it says that it leads, and is right: a leader that lost its followers fails the second question."""
        if self._process is None or self._process.poll() is not None or self._paused:
            return False
        deadline = time.monotonic() + 2
        metrics = yield from http_get(str(self.socket_path), "/metrics", deadline)
        if b"\netcd_server_is_leader 1\n" not in metrics:
            return False
        return (yield from self._is_healthy(deadline))

    # Its death

    def kill(self) -> None:
        """End it at once."""
        self._end_wanted = True
        self._started().kill()
        self._started().wait()
        self._drop_guard()

    def terminate(self) -> None:
        """Ask it to end."""
        if self._started().poll() is None:
            self._end_wanted = True
            self._started().terminate()
            self.cont()  # a stopped process would not hear of it

    def stop(self) -> None:
        """Let it stand still until :meth:`cont`."""
        self.require_running()
        self._started().send_signal(signal.SIGSTOP)
        self._paused = True
        # Elsewhere the moment until all its threads stand still is not waited for.
        if sys.platform == "linux":
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def cont(self) -> None:
        """Let it go on."""
        self._started().send_signal(signal.SIGCONT)
        self._paused = False

    def require_running(self) -> None:
        """Raise EtcdServerError if it ended."""
        status = self._started().poll()
        if status is None:
            return
        if b"address already in use" in self._log():
            raise self.failure("could not listen", PortTakenError)
        raise self.failure(f"is not running: it ended with {_describe(status)}")

    def close(self, error: BaseException | None) -> None:
        """End it and remove its files, but for the log if something went wrong.

        Raises:
          EtcdServerError: it had died by itself, and there is no ``error`` that leaves the block already.
        """
        if self._folder is None:
            return
        died = None
        if self._process is not None:
            if self._process.poll() is not None and not self._end_wanted:
                died = self.failure(f"died by itself with {_describe(self._process.returncode)}")
            self.kill()
        log = self.log_path
        # A Cancelled is how a Trio block ends well.
        failed = error is not None and not isinstance(error, trio.Cancelled)
        if log.exists() and (failed or died or self.keep_log):
            shutil.rmtree(self.data_dir, ignore_errors=True)
            self.socket_path.unlink(missing_ok=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._folder = self._process = None
        if error is None:
            if died is not None:
                raise died
        elif failed and str(log) not in str(error):
            error.add_note(f"the log of etcd {self.name!r} was kept: {log}" if died is None else str(died))

    # Help

    def _is_healthy(self, deadline: float) -> Steps[bool]:
        answer = yield from http_get(str(self.socket_path), "/health?exclude=NOSPACE", deadline)
        return b'"health":"true"' in answer

    def failure(self, what: str, kind: type[EtcdServerError] = EtcdServerError) -> EtcdServerError:
        """An error that says what is wrong, and the end of the log."""
        tail = "\n".join(self._log().decode(errors="replace").splitlines()[-LOG_LINES:])
        return kind(
            f"etcd {self.name!r} ({self.binary.version}, {self.binary.path}) {what}\n"
            f"its log is {self.log_path} and ends with\n{tail}"
        )

    def _log(self) -> bytes:
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started: use it in a `with` or `async with` block")
        return self._process

    def _free_port(self) -> int:
        family = socket.AF_INET6 if ":" in self.listen else socket.AF_INET
        while True:
            port = secrets.choice(PORTS)
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                try:
                    probe.bind((self.listen, port))
                except OSError as error:
                    if error.errno == errno.EADDRINUSE:
                        continue
                    raise EtcdServerError(f"cannot listen on {self.listen!r}: {error}") from error
            if port != self.client_port:
                return port

    def _set_guard(self, pid: int) -> None:
        if sys.platform != "linux":
            return
        with contextlib.suppress(OSError):  # an old kernel, or a container that forbids it
            pidfd = os.pidfd_open(pid)
            try:
                self._guard = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", GUARD, str(pidfd), str(self.data_dir)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[pidfd],
                    start_new_session=True,
                )
            finally:
                os.close(pidfd)

    def _drop_guard(self) -> None:
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None


def _describe(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"
