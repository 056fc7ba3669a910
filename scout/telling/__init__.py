"""Telling the owner of new matches: what was found goes through an outbox to the channels, once."""
