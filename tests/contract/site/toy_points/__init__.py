"""A second app, installed as a package of its own: which side of a line a point lies on."""
