#!/bin/bash
# One Ray node for each machine of a Slurm job, and a run with a replica for each GPU:
#   sbatch --nodes=4 --gpus-per-node=8 docs/ray_on_slurm.sh --tasks all --data /shared/egocross --output runs/mine
# Without Slurm it starts two nodes on this machine, to try it: bash docs/ray_on_slurm.sh --split demo --output runs/try
# MODEL is the inner model spec (hf:./checkpoint), OPTIONS what ray: is told besides the address.
#SBATCH --ntasks-per-node=1
set -euo pipefail
MODEL=${MODEL:-hf:./checkpoint}
OPTIONS=${OPTIONS:-gpus=1}
PORT=${PORT:-6379}
# The token that guards the cluster lies in the home folder, which the machines share.
export RAY_USAGE_STATS_ENABLED=0 RAY_worker_niceness=0 RAY_AUTH_MODE=token
ray get-auth-token --generate > /dev/null

if [ -n "${SLURM_JOB_NODELIST:-}" ]; then
  head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
  # Ray's own launcher: a head on the first machine, the others join it, the command runs on the head alone.
  exec srun ray symmetric-run --address "$head:$PORT" --min-nodes "$SLURM_JOB_NUM_NODES" -- \
    egocross-eval --model "ray:$MODEL,$OPTIONS,address=$head:$PORT" "$@"
fi

folder=$(mktemp -d /tmp/ray-try-XXXX)
# Only what was started here is ended: its processes carry the folder or the port in their arguments.
ends() { pgrep -f "$folder|127.0.0.1:$PORT" | xargs -r kill -9 2>/dev/null || true; rm -rf "$folder"; }
trap ends EXIT
ray start --head --port="$PORT" --node-ip-address=127.0.0.1 --num-cpus=1 --include-dashboard=false --temp-dir="$folder"
ray start --address="127.0.0.1:$PORT" --num-cpus=1
egocross-eval --model "ray:$MODEL,$OPTIONS,address=127.0.0.1:$PORT" "$@"
