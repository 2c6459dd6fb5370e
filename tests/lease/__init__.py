"""Leases: the calls, the block that keeps one alive, and the stream that does it."""
