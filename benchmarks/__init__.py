"""One script a claim; each prints a ratio against a peer that runs side by side."""
