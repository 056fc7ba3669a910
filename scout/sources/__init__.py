"""Kinds of board, one small module each."""
