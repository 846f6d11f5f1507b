"""PyTorch models for mlcore: exported programs and safetensors without pickle, loaded, scored, and epochs recorded."""
