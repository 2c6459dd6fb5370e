"""Long messages do not have the kernel map new memory each time."""

import subprocess
import sys

PROGRAM = """
import resource
from etcetra_trio.streams._lean import LeanEngine
from etcetra_trio.streams._protocol import Stream

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

engine = LeanEngine("localhost")
head = engine.prepare("/service/Method")
setting = b"\\0\\x04" + (2**31 - 1).to_bytes(4, "big")
engine.receive(len(setting).to_bytes(3, "big") + b"\\4\\0" + bytes(4) + setting)
engine.receive(b"\\0\\0\\4\\x08\\0" + bytes(4) + (2**31 - 65536).to_bytes(4, "big"))
engine.data_to_send()
counts = []
for _ in range(20):
    before = faults()
    text = "m" * (1 << 20)
    engine.open(Stream(unary=True), head, b"".join((b"key", text.encode())), end=True)
    assert len(engine.data_to_send()) > 1 << 20
    del text
    counts.append(faults() - before)
print(sum(counts[10:]))
"""


def test_the_memory_of_long_messages_is_used_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    # 10 messages in four copies of 256 pages each: without preparation most of these 10,000 come anew.
    assert int(done.stdout) < 2_000
