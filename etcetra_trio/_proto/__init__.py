"""etcd's messages: the codec of the hot ones, all of them by betterproto2, the table of the methods."""
