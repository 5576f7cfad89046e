"""The Gradio frame, widgets and translations that all pages share."""
