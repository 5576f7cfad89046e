"""The shared deep-learning core that every app stands on."""
