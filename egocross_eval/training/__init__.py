"""Training: support set in, checked checkpoint out, through LLaMA-Factory in an environment of its own."""
