"""What we measure, and how it leaves the process."""
