"""The conformance suite: what every engine owes to the seam (`etcetra_trio/streams/_protocol.py`), word for word.

Two kinds of servers are on the other side: the package h2's server (:class:`engines._kit.Pair`) and scripts of raw
frames (:class:`engines._kit.Wire`). What an engine sends is read by hyperframe and hpack, which lean sends without.
"""
