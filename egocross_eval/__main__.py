"""`python -m egocross_eval` is `egocross-eval`."""

from egocross_eval.cli.main import main

main()
