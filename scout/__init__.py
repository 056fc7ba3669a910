"""What a job is, and how it is found, matched and kept."""
