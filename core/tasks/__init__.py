"""What the arrays of a problem mean: encode, loss, metrics, decode."""
