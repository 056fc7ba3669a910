"""What the processes say: one line for each thing that happened, with the ids of what it belongs to.

Modules take their logger from the standard library (`logging.getLogger(__name__)`): every library does, so
there is one way for all. What only some lines have goes into `extra`. structlog makes the line of it
(`scout.logs.lines`), at the one handler that `scout.logs.setup` puts at the root.
"""
