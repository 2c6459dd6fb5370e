# Made from protos/ by `scripts/compile_protobuf.py 3.7`. Do not edit.
# ruff: noqa
