"""Virtual environments for the clients that ours is compared with: they pin packages that others must not share."""

import sys
from pathlib import Path

import trio

PACKAGES = {
    "etcetra": "etcetra==0.1.19",
    "aetcd": "aetcd==1.0.0",
    "etcd3aio": "etcd3aio==0.3.0",
    "etcd-client-py": "etcd-client-py==0.5.1",
}
LIMIT = 300


async def environments(folder: Path) -> dict[str, str]:
    """Make what is not there yet, with the Python that runs this, and return the programs of their Pythons."""
    pythons: dict[str, str] = {}
    for name, requirement in PACKAGES.items():
        python = folder / name / "bin" / "python"
        if not python.exists():
            with trio.fail_after(LIMIT):
                await trio.run_process([sys.executable, "-m", "venv", str(folder / name)])
                await trio.run_process([str(python), "-m", "pip", "install", "--quiet", requirement])
        pythons[name] = str(python)
    return pythons
