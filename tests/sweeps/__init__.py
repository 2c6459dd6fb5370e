"""Cancelled at every checkpoint: each public coroutine and each async context manager of the package."""
