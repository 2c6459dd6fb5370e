# Made from protos/ by `scripts/compile_protobuf.py 3.7`. Do not edit.
# ruff: noqa
import betterproto2

default_message_pool = betterproto2.MessagePool()  # type: ignore[no-untyped-call]
