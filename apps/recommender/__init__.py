"""Ranked lists for every user and every item, old or new."""
