"""Raw examples, their splits, the data report and the arrays made of them."""
