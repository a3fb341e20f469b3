"""Adapters: the only place where a provider's words, addresses and errors are known.

An adapter is plain Python: it reads a provider's payload into the events of `events`, and sends an
`OutboundMessage`. It knows no database, no Django settings and no other adapter.
"""
