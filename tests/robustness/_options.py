"""The command line of scripts/robustness; what makes no sense in it ends the program with one line, and 2."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

from etcetra_trio.testing import EtcdNotFoundError, find_etcd
from etcetra_trio.testing._binary import inspect_etcd

from ._history import History, load

ABOUT = """Clients under faults, judged by the store's own log: see docs/reliability.md. It ends with 0 if nothing
was wrong and every client with a bug was caught, else with 1. An interrupt (Ctrl-C) ends the load; what there is is
judged."""


# The names of these are in argparse's own messages, as in "invalid minutes value".


def minutes(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: a number above 0 is wanted")
    return number


def seeds(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text}: 0 or more are wanted")
    return number


def history(text: str) -> tuple[Path, History]:
    try:
        found = load(Path(text))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot read {text}: {error.strerror}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no history: {error}") from None
    if not found.log:
        raise argparse.ArgumentTypeError(f"{text} is no history: it has no revisions")
    return Path(text), found


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/robustness", description=ABOUT)
    add = parser.add_argument
    add("--minutes", type=minutes, default=5.0, help="how long there is load (default: 5)")
    add("--seed", type=int, help="what is done, and when; printed where not given")
    add("--etcd", type=Path, help="the etcd to run (default: ETCETRA_ETCD)")
    add("--networks", action="store_true", help="give each member a network of its own, as root")
    add(
        "--mutants",
        type=seeds,
        default=1,
        metavar="SEEDS",
        help="after the load, see that clients with a bug are caught, with so many seeds each; this takes about two "
        "more minutes for each seed; 0 leaves it out (default: 1)",
    )
    add("--check", type=history, metavar="HISTORY", help="only judge a history that was kept")
    chosen = parser.parse_args(arguments)
    if not chosen.check:
        try:
            inspect_etcd(find_etcd(chosen.etcd))
        except EtcdNotFoundError as error:
            parser.error(str(error))
    return chosen
