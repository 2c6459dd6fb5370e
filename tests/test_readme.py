"""README.md keeps its word: its examples run as they stand there and print what their comments say."""

from __future__ import annotations

import re
import traceback

import pytest
from _readme import ENDPOINT, README, examples, run

from etcetra_trio.testing import EtcdServer

TEXT = README.read_text(encoding="utf-8")


def test_opens_with_the_two_commands() -> None:
    first_block = TEXT.split("```")[1]
    assert [line.split()[0] for line in first_block.splitlines()[1:]] == ["./scripts/demo", "./scripts/test"]


def test_the_examples_print_what_their_comments_say() -> None:
    names: dict[str, object] = {}
    with EtcdServer() as server:  # an empty one: what other tests leave must not show up
        for example in examples(TEXT):
            printed = run(example, names, server.host, server.port)
            assert printed == example.promise, f"README.md, line {example.line}"


@pytest.mark.parametrize(
    "call",
    [
        "connect()",
        "put(",
        "get(",
        "delete(",
        "get_prefix(",
        "CompareKey(",
        "txn_compare(",
        "txn(",
        "fail_after(",
        'with_lock("foolock")',
        'with_lock("foolock", timeout=5)',
        'with_lock("foolock", ttl=5)',
        "held_lock",
        "lease(",
        "campaign(",
        "observe(",
        "semaphore(",
        "stm(",
        "queue(",
        "barrier(",
        "start_revision=",
        "mirror(",
        "EtcdServer()",
    ],
)
def test_shows(call: str) -> None:
    assert any(call in example.code for example in examples(TEXT))


def test_every_endpoint_is_one_that_the_runner_replaces() -> None:
    assert TEXT.count(ENDPOINT) == TEXT.count("2379") == TEXT.count("HostPortPair(")


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert not [link for link in links if "://" not in link and not (README.parent / link).exists()]


PAGE = """# Top
```python
name = "x"
print(name)  # x
```
text
## Below
```bash
# not an example
```
```python
import trio
await trio.lowlevel.checkpoint()
print(name, end=" | ")
print("y")  # x | z
```
"""


def test_the_runner_itself() -> None:
    first, second = examples(PAGE)
    assert (first.heading, first.line, first.promise) == ("Top", 3, "x\n")
    assert (second.heading, second.line, second.promise) == ("Below", 12, "x | z\n")
    names: dict[str, object] = {}
    assert run(first, names, "h", 1) == "x\n"
    assert run(second, names, "h", 1) == "x | y\n"


def test_an_error_in_an_example_points_at_its_line() -> None:
    (example,) = examples("\n\n```python\nfine = 1\nraise LookupError\n```\n")
    with pytest.raises(LookupError) as caught:
        run(example, {}, "h", 1)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.lineno) == ("README.md", 5)
