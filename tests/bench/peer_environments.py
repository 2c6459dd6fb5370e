"""Virtual environments for the clients that ours is compared with: they pin packages that others must not share."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import trio

ETCD3 = "etcd3"
PACKAGES = {
    "etcetra": ["etcetra==0.1.19"],
    "aetcd": ["aetcd==1.0.0"],
    "etcd3aio": ["etcd3aio==0.3.0"],
    "etcd-client-py": ["etcd-client-py==0.5.1"],
    # Its generated code refuses protobuf 4 and newer; older ones have no compiled part for Python 3.11.
    ETCD3: ["etcd3==0.12.0", "protobuf==3.20.3"],
}
LIMIT = 300


@dataclass(frozen=True, slots=True)
class Environments:
    """The programs of the Pythons that the clients have, and why some have none."""

    pythons: dict[str, str] = field(default_factory=dict[str, str])
    refused: dict[str, str] = field(default_factory=dict[str, str])


async def environments(folder: Path) -> Environments:
    """Make what is not there yet, with the Python that runs this."""
    found = Environments()
    for name, requirements in PACKAGES.items():
        home = folder / name
        python = home / "bin" / "python"
        try:
            if not python.exists():
                with trio.fail_after(LIMIT):
                    await trio.run_process([sys.executable, "-m", "venv", str(home)])
                    await trio.run_process(
                        [str(python), "-m", "pip", "install", "--quiet", *requirements], capture_stderr=True
                    )
            found.pythons[name] = str(python)
        except (subprocess.CalledProcessError, trio.TooSlowError) as error:
            shutil.rmtree(home, ignore_errors=True)
            words = (getattr(error, "stderr", None) or b"it took too long").decode(errors="replace").strip()
            found.refused[name] = f"does not install on this Python: {words.splitlines()[-1]:.80}"
    return found
