"""Who watches: what is asked of Prometheus' rules, and what keeps them true to the catalogue.

`prometheus/` holds what people read and run. Here is what checks it, makes the parts of it that follow from
data, and receives alerts where nothing else does yet.
"""
