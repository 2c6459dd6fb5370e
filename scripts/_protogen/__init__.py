"""The parts of `scripts/compile_protobuf.py`: what reads `protos/` and what writes `etcetra_trio/_proto/`."""
