"""Grafana's dashboards: what is on them, and how they are drawn, checked and written.

`boards/` says what each shows; `drawing` makes the JSON of it, with grafana-foundation-sdk, which only those
need who change dashboards; `reading` reads that JSON back and says what is wrong with it.
"""
