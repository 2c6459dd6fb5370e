"""Servers that send what costs them little and would cost the client much."""
