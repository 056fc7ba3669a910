"""How the whole system is started on one machine, and which parts are embedded and which real."""
