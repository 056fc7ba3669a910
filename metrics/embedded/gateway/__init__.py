"""A small Pushgateway: keeps the last result of batch jobs for Prometheus to scrape.

It stands in for prometheus/pushgateway where that program is not installed, and is held to its HTTP interface
(README, "API") by differential tests. A push is parsed strictly, checked against all that is kept, and then
either taken whole or refused whole.
"""
