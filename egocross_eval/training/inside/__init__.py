"""What runs inside the training environment, beside LLaMA-Factory: nothing here needs a package that its lock lacks."""
