"""Debian's h2load, unpacked beside the other peers without installing it, where APT can give it."""

import shutil
import subprocess
from functools import partial
from pathlib import Path

LIMIT = 120
PACKAGE = "nghttp2-client"
EVERYWHERE = {"libc6", "libgcc-s1", "libstdc++6"}


def h2load_command(folder: Path | None) -> list[str]:
    """How to run it: the machine's own, or the one in the folder, put there when it is not; nothing without either."""
    if own := shutil.which("h2load"):
        return [own]
    if folder is None:
        return []
    home = folder / "h2load"
    program = home / "usr" / "bin" / "h2load"
    try:
        if not program.exists():
            _unpack(home)
    except (OSError, subprocess.SubprocessError):
        shutil.rmtree(home, ignore_errors=True)
        return []
    libraries = ":".join(sorted({str(path.parent) for path in home.rglob("*.so.*")}))
    return ["env", f"LD_LIBRARY_PATH={libraries}", str(program)]


def _unpack(home: Path) -> None:
    """Fetch the package, and the libraries that it names."""
    home.mkdir(parents=True)
    run = partial(subprocess.run, cwd=home, check=True, capture_output=True, text=True, timeout=LIMIT)
    words = [line.split() for line in run(["apt-cache", "depends", PACKAGE]).stdout.splitlines()]
    packages = {PACKAGE, *(line[1] for line in words if line[0] == "Depends:")} - EVERYWHERE
    run(["apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", *sorted(packages)])
    for package in home.glob("*.deb"):
        run(["dpkg-deb", "--extract", str(package), str(home)])
