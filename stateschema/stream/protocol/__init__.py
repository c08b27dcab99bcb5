"""The rules of durable streams over HTTP, as pure functions: nothing here reads, waits or stores.

Section numbers in the modules are those of the open protocol's text, version 1.0; `docs/protocol.md`
lists what is implemented and what was added.
"""
