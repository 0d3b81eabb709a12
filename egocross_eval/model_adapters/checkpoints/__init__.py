"""What every engine needs of a checkpoint: where it lies, who it is, its words, its frames, its LoRA adapters."""
