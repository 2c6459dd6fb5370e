"""The compiled build: ``HATCH_BUILD_HOOKS_ENABLE=1 pip install .``; see "Compiled" in docs/performance.md.

Without that variable hatchling passes this over, and the wheel is pure Python. What is compiled, and with which
mypyc, stands in pyproject.toml. It is done in a folder of its own: a library that was left beside its source would
be imported in its place from then on, whatever becomes of the source.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "etcetra_trio"
# What happens to be installed beside mypyc must not change the result, hence --no-site-packages.
SETUP = """
import sys
from setuptools import setup
from mypyc.build import mypycify
options = ["--config-file=", "--no-site-packages", "--ignore-missing-imports", "--follow-imports=silent"]
extensions = mypycify([*options, *sys.argv[2:]], group_name=sys.argv[1], debug_level="0")
setup(ext_modules=extensions, packages=[], script_args=["--quiet", "build_ext", "--build-lib", "built"])
"""


class CompiledBuild(BuildHookInterface):
    """Puts libraries beside the modules that they are made of; Python prefers them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """As hatchling calls it, before it writes the wheel."""
        if version == "editable":
            return
        self._folder = folder = Path(tempfile.mkdtemp())
        shutil.copytree(Path(self.root, PACKAGE), folder / PACKAGE)
        found = sorted(path for pattern in self.config["modules"] for path in folder.glob(pattern))
        modules = [str(path.relative_to(folder)) for path in found]
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", SETUP, f"{PACKAGE}._compiled", *modules],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            sys.stderr.write(done.stdout.decode(errors="replace"))
            raise RuntimeError(
                "compiling failed, see above (it takes a C compiler, and Python's header files)"
            )
        built = folder / "built"
        build_data["force_include"] |= {
            str(path): str(path.relative_to(built)) for path in built.rglob("*") if path.is_file()
        }
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """As hatchling calls it, when the wheel is written."""
        if version != "editable":
            shutil.rmtree(self._folder)
