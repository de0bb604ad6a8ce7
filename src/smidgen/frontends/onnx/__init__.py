"""ONNX models, float and quantised, become graphs."""
