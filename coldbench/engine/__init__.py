"""The gevent world: Locust drives the wire client; a second process reads and writes the facts.

Importing this package imports neither gevent nor Locust: only `python -m coldbench.engine` does.
"""
