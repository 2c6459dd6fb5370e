"""Credentials: tokens that are fetched, refused and renewed, and secrets that nobody sees."""
