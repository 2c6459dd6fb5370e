"""The Trio-native etcd v3 client."""
