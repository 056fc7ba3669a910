"""Identity: every job once, whatever the number of boards that post it, and however often."""
