"""A shop that does not exist, made by the project: its catalogue in both languages, and what its visitors do."""
