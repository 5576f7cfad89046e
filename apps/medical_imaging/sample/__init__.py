"""Synthetic dermoscopy-like pictures with lesion masks, drawn by this project; no clinical value."""
