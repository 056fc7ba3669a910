"""What runs outside a request: queue jobs, the schedule, the worker entry."""
