"""`egocross-eval doctor`: what this machine has, and what each engine needs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="doctor")
@click.option("--python", type=click.Path(path_type=Path), help="Interpreter of the training environment.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(python: Path | None, as_json: bool) -> int:
    """Report GPU, driver, engines, versions, conflicts, the training environment, disk, and which tokens are set.

    Values of tokens are never shown. Exit code 1 where something is wrong; what is merely absent is no fault.

    \b
    egocross-eval doctor
    """
    from egocross_eval.training.machine_report import examine_machine

    entries = examine_machine(python)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(entries), indent=2).decode())
    else:
        for entry in entries:
            click.echo(f"{entry.status:9}{entry.group:10}{entry.name:22}{entry.text}")
    return 1 if any(entry.status == "problem" for entry in entries) else 0
