"""How the whole system is started on one machine, and which parts are embedded and which real.

The starting process stays small and loads neither SQLAlchemy nor Flask: what needs them runs in a process of
its own (`scout.stack.prepare`).
"""
