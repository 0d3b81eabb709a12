"""Any other adapter, many times over: replicas on the machines of a Ray cluster."""
