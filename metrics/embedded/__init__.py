"""The exporter and the gateway for machines that have no real ones."""
