"""The benchmark: our client beside bare gRPC clients, asked in turn, against one etcd.

Run it with ``python -m tests.bench [--quick] [--check] [--json FILE] [workload ...]``.
"""
