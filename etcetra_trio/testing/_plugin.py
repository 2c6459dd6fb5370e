"""Fixtures for pytest, with no import by the user: ``etcd_server``, ``etcd``, ``communicator``.

Everything but pytest is imported by the fixtures themselves: who does not use them shall not wait for it.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import inspect
import uuid
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from etcetra_trio import EtcdClient, EtcdCommunicator
    from etcetra_trio.testing import EtcdServer

LOG_LINES = 40  # of the server's log under a failed test


@pytest.fixture(scope="session")
def etcd_server() -> Generator[EtcdServer]:
    """One real etcd for the whole test run; the environment variable ETCETRA_ETCD chooses the program.

    A test may kill, stop and restart it, and must leave it serving. Without an etcd this fails; it never skips.
    """
    from etcetra_trio.testing import EtcdServer

    with EtcdServer() as server:
        yield server


@pytest.fixture
def etcd(etcd_server: EtcdServer) -> Generator[EtcdClient[str]]:
    """An ``EtcdClient`` of ``etcd_server`` in a namespace of the test's own, which is emptied afterwards."""
    import trio

    from etcetra_trio import EtcdClient

    client = EtcdClient(etcd_server.endpoint, namespace=f"/pytest/{uuid.uuid4().hex}/")
    yield client

    async def remove_keys() -> None:
        with trio.fail_after(10):
            async with client.connect() as communicator:
                await communicator.delete_prefix("")

    trio.run(remove_keys)


@pytest.fixture
async def communicator(etcd: EtcdClient[str]) -> AsyncGenerator[EtcdCommunicator[str]]:
    """The ``etcd`` fixture's client, connected. For async tests that pytest-trio runs."""
    async with etcd.connect() as communicator:
        yield communicator


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Say what is missing where nobody would run ``communicator``: pytest has no word for it that helps."""
    known = getattr(item, "_fixtureinfo", None)
    definitions = known.name2fixturedefs.get("communicator", ()) if known else ()
    if not definitions or definitions[-1].func.__module__ != __name__:
        return
    has = item.config.pluginmanager.hasplugin
    if any(item.get_closest_marker(runner) and has(runner) for runner in ("trio", "anyio")):
        return
    if not has("trio"):
        missing = "install pytest-trio (pip install 'etcetra-trio[testing]')"
    elif not inspect.iscoroutinefunction(getattr(item, "obj", None)):
        missing = "make it `async def`, or use the fixture 'etcd'"
    else:
        missing = "put trio_mode = true into pytest's configuration, or @pytest.mark.trio before the test"
    pytest.fail(
        f"{item.name!r} uses the fixture 'communicator', which is for async tests that pytest-trio runs: {missing}",
        pytrace=False,
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show and keep the server's log when a test that used it fails."""
    report = yield
    server: EtcdServer | None = getattr(item, "funcargs", {}).get("etcd_server")
    if report.failed and report.when != "teardown" and server is not None:
        server.keep_log = True
        lines = server.log_path.read_text(errors="replace").splitlines()
        report.sections.append((f"etcd log, kept in {server.log_path}", "\n".join(lines[-LOG_LINES:])))
    return report
