"""ONNX models for mlcore: saved, loaded, and scored with ONNX Runtime."""
