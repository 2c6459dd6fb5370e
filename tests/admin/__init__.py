"""The administrative calls, with a real etcd and with scripted servers."""
