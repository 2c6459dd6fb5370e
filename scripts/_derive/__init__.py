"""The parts of `scripts/derive_asyncio.py`: what reads Trio's API and what writes `etcetra_trio/asyncio/`."""
