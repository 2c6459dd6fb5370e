"""One client that works for long, and does not grow."""
