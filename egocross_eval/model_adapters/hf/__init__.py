"""The `hf` adapter: any image-text-to-text model of transformers, in real batches."""
