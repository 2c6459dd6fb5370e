"""TLS with a real etcd: each way in which it works, and each in which it does not."""
