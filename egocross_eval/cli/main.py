"""The command line: a run by default, and one small module per verb, imported only when it's called."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.errors import EgoCrossError, did_you_mean
from egocross_eval.hanging import end_process
from egocross_eval.version import __version__

if TYPE_CHECKING:
    from egocross_eval.contracts.command import CommandType

VERBS = {
    "run": ("egocross_eval.cli.verbs.run", "Run models over tasks (the default)."),
    "sweep": ("egocross_eval.cli.verbs.sweep", "Run many models in many ways, on one leaderboard."),
    "tune": ("egocross_eval.cli.verbs.tune", "Choose among ways to ask, by labelled questions."),
    "watch": ("egocross_eval.cli.verbs.watch", "Evaluate the checkpoints of a training as they come."),
    "merge": ("egocross_eval.cli.verbs.merge", "Put the shards of a run together."),
    "combine": ("egocross_eval.cli.verbs.combine", "Make one run of several, without asking a model."),
    "status": ("egocross_eval.cli.verbs.status", "Say how runs under way stand; serve their site."),
    "demo": ("egocross_eval.cli.verbs.demo", "The main job from nothing, on a CPU and offline."),
    "data": ("egocross_eval.tasks.egocross.commands.data", "Verify, fetch or generate benchmark data."),
    "tasks": ("egocross_eval.cli.verbs.tasks", "List the tasks with their counts."),
    "models": ("egocross_eval.cli.verbs.models", "List the model adapters; build a tiny checkpoint."),
    "methods": ("egocross_eval.cli.verbs.methods", "List the methods: how a question can be asked."),
    "plugins": ("egocross_eval.cli.verbs.plugins", "List the plugins and what they register."),
    "show": ("egocross_eval.cli.verbs.show", "Show exactly what would be sent for a question."),
    "parse": ("egocross_eval.cli.verbs.parse", "Read the answer letter from model output."),
    "score": ("egocross_eval.cli.verbs.score", "Score a run or a predictions file against answers."),
    "judge": ("egocross_eval.cli.verbs.judging", "Have free answers judged, and measure the judges."),
    "submit": ("egocross_eval.cli.verbs.submit", "Write the validated submission.zip of a run."),
    "export": ("egocross_eval.cli.verbs.export", "Write a run in somebody else's form."),
    "import": ("egocross_eval.cli.verbs.import_log", "Make a run of another tool's log."),
    "lmms-eval": ("egocross_eval.cli.verbs.lmms_eval", "The benchmark as lmms-eval's tasks, written or run."),
    "leaderboard": ("egocross_eval.cli.verbs.leaderboard", "Write the leaderboard of runs."),
    "compare": ("egocross_eval.cli.verbs.compare", "Compare runs on the same questions."),
    "audit": ("egocross_eval.cli.verbs.audit", "How much of a score survives without looking."),
    "view": ("egocross_eval.cli.verbs.view", "Look at the answers of a run, or of two, in the terminal."),
    "site": ("egocross_eval.cli.verbs.site", "Write a static site of runs and all their answers."),
    "train": ("egocross_eval.cli.verbs.train", "Train on the support set by LLaMA-Factory; merge; check a checkpoint."),
    "experiment": ("egocross_eval.cli.verbs.experiment", "Train per domain, evaluate, compare, and join the experts."),
    "cache": ("egocross_eval.cli.verbs.cache", "Say what the caches hold; empty them."),
    "doctor": ("egocross_eval.cli.verbs.doctor", "What this machine has, and what each engine needs."),
}
"""Module and help line by verb; each module has a click command named `command`."""


def _plugin_verbs() -> dict[str, CommandType]:
    """Verbs that installed plugins add; the plugins are loaded only where there are any."""
    from importlib.metadata import entry_points

    from egocross_eval.contracts.hooks import GROUP

    if not entry_points(group=GROUP):
        return {}
    from egocross_eval.contracts.registry import registry

    added = registry().commands
    for name in sorted(added.keys() & VERBS.keys()):
        warnings.warn(f"a plugin's verb {name!r} isn't added: egocross-eval has one of that name", stacklevel=2)
    return {name: command for name, command in added.items() if name not in VERBS}


def _loaded(added: CommandType) -> click.Command:
    """The command of a plugin's verb. Raises `RunError`, naming the plugin, where there's none."""
    from egocross_eval.contracts.faults import guarded

    with guarded("commands", added.name, "to load"):
        command = added.load()
        if not isinstance(command, click.Command):
            raise TypeError(f"it gave {command!r}, which is no click command")
    return command


class LazyGroup(click.Group):
    """Imports a verb's module when it's asked for; arguments that start with an option mean `run`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs."""
        return [*VERBS, *_plugin_verbs()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, or None."""
        if cmd_name not in VERBS:
            added = _plugin_verbs().get(cmd_name)
            return _loaded(added) if added is not None else None
        command = importlib.import_module(VERBS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{VERBS[cmd_name][0]}.command is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs from their help lines, without importing them."""
        added = {name: command.description for name, command in _plugin_verbs().items()}
        with formatter.section("Verbs"):
            formatter.write_dl([*((verb, line) for verb, (_, line) in VERBS.items()), *added.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts `run` in front of options."""
        if args and args[0].startswith("-") and args[0] not in ("--help", "-h", "--version"):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggests a verb for an unknown one."""
        if args[0] not in VERBS and args[0] not in (known := self.list_commands(ctx)):
            raise click.UsageError(f"no verb {args[0]!r}{did_you_mean(args[0], known)}; known: {', '.join(known)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="egocross-eval run --help lists the options of a run; every verb answers --help with an example.",
)
@click.version_option(__version__, prog_name="egocross-eval")
def cli() -> None:
    """Measure a model on EgoCross.

    \b
    egocross-eval --model hf:./checkpoint --tasks all --data ROOT
    egocross-eval --model baseline:chance --split demo
    """


def show_warning(message: Warning | str, *details: object, **more: object) -> None:
    """A warning as a line for people, without the place in our code."""
    click.echo(f"warning: {message}", err=True)


def main(args: list[str] | None = None) -> Any:
    """Runs the command line and exits: 0 all answered, 1 errors remain, 2 wrong usage, 130 interrupted."""
    from egocross_eval.cli.show.terminal import settle_terminal

    warnings.showwarning = show_warning
    settle_terminal()
    try:
        code = cli.main(args=args, prog_name="egocross-eval", standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = 2
    except click.ClickException as error:
        from egocross_eval.cli.show.wrong_usage import usage_fault

        message = usage_fault(error)
        _refuse(message, args)
        code = _fault(message, 2, args)
    except EgoCrossError as error:
        code = _fault(str(error), error.exit_code, args)
    except BrokenPipeError:
        # The reader of our output went away (`| head`); nothing is left to say to it.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
        code = 0
    except OSError as error:
        # A full disk, a file that may not be written.
        from egocross_eval.contracts.faults import cause

        code = _fault(cause(error), 1, args)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        code = 130
    code = code if isinstance(code, int) else 0
    if args is None:
        end_process(code)
    sys.exit(code)


def _fault(message: str, code: int, args: list[str] | None) -> int:
    """Says what is wrong; the exit code."""
    from egocross_eval.replies import reply_fault

    reply_fault(message, code, _words(args))
    return code


def _refuse(message: str, args: list[str] | None) -> None:
    """Says in a line too that the command line can't be read, where lines are asked for, whatever its verb."""
    from egocross_eval.cli.options import asks_for_events

    if asks_for_events(_words(args)):
        from egocross_eval.cli.show.events import say_refused

        say_refused(message, 2)


def _words(args: list[str] | None) -> list[str]:
    return sys.argv[1:] if args is None else args
