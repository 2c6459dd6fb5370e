"""Python stubs for the bare clients, generated from our own ``protos/`` anew for each run."""

import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import trio

PROTOS = Path(__file__).parents[2] / "protos"
LIMIT = 60


class StubsError(Exception):
    """The stubs could not be generated; the text is the compiler's."""


async def generate(target: Path) -> str:
    """Write messages, grpcio stubs and grpclib stubs into a folder, and say in a line with what."""
    try:
        compiler = f"grpcio-tools {version('grpcio-tools')}"
    except PackageNotFoundError:
        return "none, grpcio-tools is not installed"
    with trio.fail_after(LIMIT):
        done = await trio.run_process(_command(target), capture_stderr=True, check=False)
    if done.returncode:
        raise StubsError(done.stderr.decode(errors="replace").strip())
    return f"protos/ compiled by {compiler}"


def _command(target: Path) -> list[str]:
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={PROTOS}"]
    command += [f"--python_out={target}", f"--grpc_python_out={target}"]
    plugin = Path(sysconfig.get_path("scripts"), "protoc-gen-grpclib_python")
    if plugin.exists():
        command += [f"--plugin={plugin}", f"--grpclib_python_out={target}"]
    return command + [str(path) for path in sorted(PROTOS.rglob("*.proto"))]
