"""Networks that turn raw arrays into features, and the heads on top of them."""
