"""Which of the two builds runs: pure Python, unless `scripts/test-compiled` says otherwise."""

from __future__ import annotations

import importlib
import inspect
import os
import tomllib
from pathlib import Path

import etcetra_trio
from etcetra_trio.streams._lean import LeanEngine
from etcetra_trio.streams._protocol import Stream

ROOT = Path(__file__).parent.parent
with (ROOT / "pyproject.toml").open("rb") as file:
    HOOK = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]
WANTED = {path for pattern in HOOK["modules"] for path in ROOT.glob(pattern)}
COMPILED = os.environ.get("ETCETRA_COMPILED") == "1"


def library(path: Path) -> bool:
    """Whether the module of this source is a library."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return not (importlib.import_module(name).__file__ or "").endswith(".py")


def test_what_is_compiled() -> None:
    sources = [path for path in (ROOT / "etcetra_trio").rglob("_[a-z]*.py") if "_messages" not in path.parts]
    found = {path for path in sources if library(path)}
    assert found == (WANTED if COMPILED else set())


def test_no_class_of_the_users_is() -> None:
    classes = [thing for thing in vars(etcetra_trio).values() if inspect.isclass(thing)]
    assert etcetra_trio.WatchEvent in classes
    assert not [thing for thing in classes if "mypyc" in (thing.__doc__ or "")]  # which spoils docstrings


def test_every_pattern_names_a_module() -> None:
    assert all([*ROOT.glob(pattern)] for pattern in HOOK["modules"])


def test_it_is_the_mypy_that_checks_the_types() -> None:
    locked = (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8").split()
    assert next(name for name in HOOK["dependencies"] if name.startswith("mypy==")) in locked


class Told(Stream):
    """The other modules' streams are interpreted, whatever the engine is."""

    def on_end(self, end: object) -> None:
        self.more = end


def test_interpreted_streams_on_either_engine() -> None:
    engine, told = LeanEngine("etcd.example:2379"), Told(unary=True)
    engine.open(told, engine.prepare("/s/m"), b"", end=True)
    engine.lost("unplugged")
    assert "unplugged" in str(told.more)
