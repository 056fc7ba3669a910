"""A small StatsD exporter: lines in by datagram, Prometheus text out by HTTP.

It stands in for prometheus/statsd_exporter 0.31 where that program is not installed, takes the same flags and
the same mapping file, and is held to it by differential tests. The way of a line through it:

    listeners -> line (grammar) -> mapping (rules, cache) -> translator -> registry (series) -> page
"""
