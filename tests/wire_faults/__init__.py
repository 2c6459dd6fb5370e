"""Faults on the wire: what a server, or the way to it, can do to the octets, and what then becomes of a call.

``_row`` says what a row of the table is, ``_faults_*`` are the rows, ``_etcd`` is the server that commits the fault,
``_operations`` are the four things that a client is doing meanwhile. Everything runs over unix sockets in Trio's
virtual time, so a bound of so many seconds is exact, however busy the machine.
"""
