"""Everything that flows: engines, connections, calls."""
