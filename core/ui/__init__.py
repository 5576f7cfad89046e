"""The Gradio frame, widgets and translations that all pages share."""

import os

# Gradio reads it when it is imported, and the modules of this package import Gradio.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
