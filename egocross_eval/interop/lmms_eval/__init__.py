"""lmms-eval, both ways: EgoCross as its task, its models as ours and ours as its, its logs as runs."""
