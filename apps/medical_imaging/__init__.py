"""Skin lesions from dermoscopy images: is there one, of which type, and where. For research only."""
