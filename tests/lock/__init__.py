"""Locks and elections: who holds, who waits, how it ends, with servers that work and with others."""
