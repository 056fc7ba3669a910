"""What a browser or an API client sees."""
