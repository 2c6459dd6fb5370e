"""h2load with prepared requests: what the server gives a client that costs next to nothing.

Run as ``python -m tests.bench.peer_h2load PORT COMMAND...``. Each turn is a process and a connection of its own, which
sends one request again and again, over so many streams as others have tasks.
"""

import json
import math
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from etcetra_trio._keys import prefix_end
from etcetra_trio._proto._codec import put_request, range_request

from .peer import WrongAnswerError, answer, main
from .stats import Turn
from .workloads import MANY, MANY_PREFIX, MIB, MIB_PREFIX, VALUE, key

LIMIT = 30
_MIB_KEY = f"{MIB_PREFIX}{0:08d}".encode()
#: The method, the request, and octets that its answer has at least.
CALLS: dict[str, tuple[str, bytes, int]] = {
    "get": ("Range", range_request(key("get", 0).encode()), len(VALUE)),
    "put": ("Put", put_request(key("put", 0).encode(), VALUE.encode()), 20),
    "prefix": (
        "Range",
        range_request(MANY_PREFIX.encode(), prefix_end(MANY_PREFIX.encode())),
        MANY * len(VALUE),
    ),
    "get_mib": ("Range", range_request(_MIB_KEY), len(MIB)),
    "put_mib": ("Put", put_request(_MIB_KEY, MIB.encode()), 20),
}


def command(program: list[str], port: int, request: Mapping[str, object], body: Path) -> list[str]:
    """What to run for a turn."""
    method = CALLS[str(request["operation"])][0]
    most = int(str(request["most"]))
    length = ["-n", str(most)] if most < 1 << 30 else ["-D", f"{float(str(request['seconds'])) * 1000:.0f}ms"]
    return [
        *program,
        *("-c", "1", "-t", "1", "-m", str(request["tasks"]), *length, "-d", str(body)),
        *("-H", "content-type: application/grpc", "-H", "te: trailers"),
        f"http://127.0.0.1:{port}/etcdserverpb.KV/{method}",
    ]


def figures(text: str, cpu_seconds: float, least: int) -> Turn:
    """What h2load says. It knows no percentiles."""
    rate = re.search(r"finished in .*?, ([\d.]+) req/s", text)
    counts = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", text)
    data = re.search(r"headers \(space savings .*?\), \S+ \((\d+)\) data", text)
    if rate is None or counts is None or data is None:
        raise WrongAnswerError(text)
    done, *bad = map(int, counts.groups())
    if not done or any(bad) or int(data[1]) < done * least:
        raise WrongAnswerError(text)
    return Turn(cpu_us=cpu_seconds / done * 1e6, ops_s=float(rate[1]), p50_us=math.nan, p99_us=math.nan)


def start() -> None:
    port, *program = sys.argv[1:]
    if not program:
        raise ModuleNotFoundError("no h2load here (Debian's package nghttp2-client has it)")
    version = subprocess.run(
        [*program, "--version"], capture_output=True, text=True, check=True, timeout=LIMIT
    )
    answer({"versions": {"h2load": version.stdout.strip().removeprefix("h2load ")}})
    with tempfile.TemporaryDirectory(prefix="etcetra-trio-bench-") as folder:
        body = Path(folder, "body")
        for line in sys.stdin:
            request = json.loads(line)
            _, message, least = CALLS[request["operation"]]
            body.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(
                command(program, int(port), request, body),
                capture_output=True,
                text=True,
                check=True,
                timeout=LIMIT,
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            answer(asdict(figures(done.stdout, cpu, least)))


if __name__ == "__main__":
    main(start)
