"""`vllm-server:`: a vLLM server that is started for the run."""
