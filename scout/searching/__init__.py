"""The search of jobs: the language it is written in, the index of words, pages, counts and marked hits.

`language` reads what was typed, `conditions` makes SQL of it, `index` keeps the words of every job where the
database finds them, `cursors` names places in a list, `facets` counts what was found, and `marking` shows
where the words stand. `scout.jobs` puts them together; docs/SEARCHING.md is for people.
"""
