"""Makes trained models smaller and faster: distillation."""
