"""Answering from a bundle with ONNX Runtime; nothing here imports torch."""
