"""The changes of the database's tables, one module a step, run by `scout migrate`."""
