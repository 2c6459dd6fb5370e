"""The package as a whole: what importing it costs, what is public, who may know whom, what is in the wheel."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import etcetra_trio

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "etcetra_trio"
PUBLIC = [
    "etcetra_trio",
    "etcetra_trio.asyncio",
    "etcetra_trio.events",
    "etcetra_trio.opentelemetry",
    "etcetra_trio.streams",
    "etcetra_trio.testing",
]


def fresh_python(program: str, **variables: str) -> str:
    """Run a program in a Python that has imported nothing yet (coverage would import much, and slowly)."""
    unwanted = ("COVERAGE_", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(
        command, env=environment | variables, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_import_brings_only_what_a_first_call_needs() -> None:
    loaded = set(fresh_python("import sys, etcetra_trio; print(*sys.modules)").split())
    assert "etcetra_trio" in loaded
    unwanted = {
        "asyncio",
        "trio_asyncio",
        "betterproto2",
        "grpclib",
        "h2.connection",
        "opentelemetry",
        "pytest",
    }
    assert not loaded & (unwanted | {"etcetra_trio.asyncio", "etcetra_trio.testing"})
    assert not [name for name in loaded if name.startswith("etcetra_trio._proto._messages")]


def test_import_costs_little_over_trio(tmp_path: Path) -> None:
    program = (
        "import trio, time; t = time.process_time(); import etcetra_trio; print(time.process_time() - t)"
    )
    fresh_python(program, PYTHONPYCACHEPREFIX=str(tmp_path))  # compiles everything
    assert (
        min(float(fresh_python(program, PYTHONPYCACHEPREFIX=str(tmp_path))) for _ in range(7)) <= 0.030
    )  # seconds


def public_names(module: str) -> dict[str, object]:
    """What a package re-exports, by the sign that type checkers go by: ``import X as X``, or a module's ``__all__``."""
    found = importlib.import_module(module)
    if hasattr(found, "__all__"):
        return {name: getattr(found, name) for name in found.__all__}
    return {
        name: getattr(found, name)
        for name in re.findall(r"import (\w+) as \1$", inspect.getsource(found), re.MULTILINE)
    }


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_documented_and_know_where_they_live(module: str) -> None:
    for name, thing in public_names(module).items():
        if inspect.isclass(thing) or inspect.isroutine(thing):
            assert thing.__module__ == module or module != "etcetra_trio", name
            assert thing.__doc__, f"{name} has no docstring"
        if inspect.isclass(thing):
            for attribute, member in vars(thing).items():
                if not attribute.startswith("_") and (
                    inspect.isroutine(member) or isinstance(member, property)
                ):
                    assert member.__doc__, f"{name}.{attribute} has no docstring"


def test_every_public_name_is_in_the_reference() -> None:
    words = re.findall(r"\w+", (ROOT / "docs" / "references.rst").read_text(encoding="utf-8"))
    names = [name for module in PUBLIC for name in public_names(module)]
    assert not set(names) - {*words, "__version__"}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


# From the bottom to the top: a module may import its own line and the lines above it here, at run time.
# A module that is not named stands where the package around it stands.
VALUES = [
    "_errors",
    "_secret",
    "_server_errors",
    "_admin_errors",
    "_error_table",
    "_addresses",
    "_keys",
    "_types",
    "events",
]
SERVICES = "the modules of the top level that are not named"
ENGINES = [
    *(f"streams.{name}" for name in ("_protocol", "_grpc", "_frames", "_deframe", "_greeting", "_mypyc")),
    *(name for name in MODULES if name.startswith(("streams._lean", "streams._h2"))),
]
LAYERS = [
    ["_version", "_proto"],
    [*VALUES, "_checks", "_compare"],
    ENGINES,
    ["streams"],
    [SERVICES],
    ["_communicator"],
    ["_client"],
    [""],
    ["asyncio"],
    ["testing"],
]
PURE = {*LAYERS[0], *LAYERS[1], *ENGINES, "_kv", "_txn", "_txn_writes"} - {"_addresses"}  # knows IPv6
# Two errors are also trio's, so that code which knows nothing of etcd can catch them.
KNOWS_TRIO_ANYWAY = {"_errors"}


def imports(module: str) -> set[str]:
    """What a module imports when it runs: everything outside of ``if TYPE_CHECKING``, in full names."""
    is_package = MODULES[module].name == "__init__.py"
    here = ["etcetra_trio", *module.split(".")] if module else ["etcetra_trio"]
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) + is_package - node.level] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            found.update(
                inner
                if (inner := f"{start}.{alias.name}").removeprefix("etcetra_trio.") in MODULES
                else start
                for alias in node.names
            )
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(MODULES[module].read_text(encoding="utf-8")))
    return found


def layer(module: str) -> int:
    """Return the number of the layer that names the module or, failing that, a package around it."""
    while True:
        for number, names in enumerate(LAYERS):
            if module in names:
                return number
        module = module.rpartition(".")[0] or SERVICES


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_module_knows_what_stands_above_it(module: str) -> None:
    ours = {name for name in imports(module) if name.split(".")[0] == "etcetra_trio"}
    above = [name for name in ours if layer(name.removeprefix("etcetra_trio").lstrip(".")) > layer(module)]
    assert not above


@pytest.mark.parametrize(
    "module", sorted(name for name in MODULES if name in PURE or name.split(".")[0] == "_proto")
)
def test_pure_modules_do_no_input_or_output(module: str) -> None:
    roots = {name.split(".")[0] for name in imports(module)}
    allowed = {"trio"} if module in KNOWS_TRIO_ANYWAY else set()
    assert not roots & {"trio", "socket", "ssl", "asyncio", "select", "threading", "subprocess"} - allowed


@pytest.mark.parametrize("module", ENGINES)
def test_engines_know_nothing_of_etcd(module: str) -> None:
    ours = {name for name in imports(module) if name.split(".")[0] == "etcetra_trio"}
    assert ours <= {"etcetra_trio._version", *(f"etcetra_trio.{name}" for name in ENGINES)}


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"etcetra_trio-{etcetra_trio.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    assert "etcetra_trio/py.typed" in names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"etcetra_trio"}
    sources = {str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == sources
    assert not [name for name in names if name.endswith(".so")]
