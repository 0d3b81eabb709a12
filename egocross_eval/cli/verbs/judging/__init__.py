"""`egocross-eval judge`: has free answers judged, and the judges measured."""

from __future__ import annotations

import importlib

import click

VERBS = {
    "run": "Judge the answers of a run (the default).",
    "audit": "Measure judges on answers whose verdict is known.",
    "label": "Label a drawn share of a run's answers yourself.",
    "agree": "How far judges agree, and where they part.",
    "formats": "The open and the closed format of the same questions side by side.",
}
"""Help line by verb; each has a module of its name with a click command named `command`."""


class JudgeGroup(click.Group):
    """Imports a verb's module when it's asked for; anything else is a run to judge."""

    default_verb = "run"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, or None."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"{__name__}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs from their help lines, without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts `run` in front of what is no verb."""
        if args and args[0] not in VERBS and args[0] not in ("--help", "-h"):
            args = [self.default_verb, *args]
        return super().parse_args(ctx, args)


@click.command(cls=JudgeGroup, name="judge", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Have the free answers of a run judged, and measure the judges.

    \b
    egocross-eval judge RUN --judge openai:gpt-4.1 --judge rules
    egocross-eval judge audit --judge openai:gpt-4.1 --split demo
    egocross-eval judge label RUN --draw 120
    """
