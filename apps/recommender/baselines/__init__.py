"""What a user would use instead: each tuned on validation data, all measured as the suite's model is."""
