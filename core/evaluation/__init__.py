"""How good an answer is, in numpy: metrics, calibration, decisions, plots, the report."""
