"""The door to trio-asyncio, and that nothing else touches that package."""

from __future__ import annotations

from shim._kit import HAS_TRIO_ASYNCIO, program

MAIN = """
import asyncio
from etcetra_trio.asyncio import run

async def main(*args):
    await asyncio.sleep(0)
    if "raise" in args:
        raise LookupError("mine")
    return args
"""


if HAS_TRIO_ASYNCIO:

    def test_runs_a_coroutine_function() -> None:
        out, err = program(MAIN + "print(run(main, 1, 2))")
        assert (out, err) == ("(1, 2)\n", "")

    def test_exceptions_leave_as_they_are() -> None:
        out, _ = program(MAIN + "try: run(main, 'raise')\nexcept LookupError as error: print(error)")
        assert out == "mine\n"


def test_says_what_to_do_where_there_is_no_trio_asyncio() -> None:
    for failure in ("ImportError('no such module')", "AttributeError('AbstractChildWatcher')"):
        text = f"""
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "trio_asyncio":
            raise {failure}
sys.meta_path.insert(0, Finder())
"""
        out, _ = program(text + MAIN + "try: run(main)\nexcept RuntimeError as error: print(error)")
        assert "asyncio.run(main())" in out
        assert failure.split("'")[1] in out


def test_nothing_else_imports_it() -> None:
    text = (
        MAIN
        + "import sys; asyncio.run(main()); print('trio_asyncio' in sys.modules, 'grpclib' in sys.modules)"
    )
    assert program(text)[0] == "False False\n"
    assert program("import sys, etcetra_trio; print('etcetra_trio.asyncio' in sys.modules)")[0] == "False\n"
