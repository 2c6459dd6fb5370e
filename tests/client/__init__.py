"""The client from the outside, against a real etcd: what users call, what comes back, what is left behind."""
