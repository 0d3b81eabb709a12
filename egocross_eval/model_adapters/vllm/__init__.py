"""`vllm:` and `vllm-server:`: models on vLLM's engine, in this process or in a server that is started for the run."""
