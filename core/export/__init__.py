"""From trained weights to the one artifact that is served."""
