"""The benchmark: our client beside bare gRPC clients and others, asked in turn, against one etcd.

Run it with ``.venv/bin/python -m tests.bench [--quick] [--check] [--peers FOLDER] [--json FILE] [workload ...]``.
"""
