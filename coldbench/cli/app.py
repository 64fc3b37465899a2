"""The commands by name. A command's module is imported only when it runs, so that `--help` is quick."""

import importlib
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperGroup

from coldbench import __version__
from coldbench.core.errors import UsageError

# name -> what it does, in one line; the module of the same name has the function `command`
COMMANDS = {
    "run": "Drive a load profile and judge each invocation cold or warm.",
    "probe": "Make a function cold, and show what its cold start is made of.",
    "lifetime": "Find out how long an unused instance lives.",
    "concurrency": "Find out how many invocations one instance takes at once.",
    "keepwarm": "Keep N instances warm, and prove it.",
    "doctor": "Say what a target's answers tell, and what to do to learn more.",
    "compare": "Hold targets or runs against one another: what is slower.",
    "shim": "Print what makes a function tell the truth about itself.",
    "report": "Show a run again, judged by today's rules.",
    "export": "Write a run's invocations for other programs.",
    "runs": "List the runs.",
    "ui": "Show the runs in a browser, on this machine only.",
    "selftest": "Measure coldbench's own errors against the lab's truth.",
    "worker": "Carry out a share of a run that another machine leads.",
    "lab": "Serve local functions with known ground truth.",
}


class Commands(TyperGroup):
    """Knows its commands by the table; imports one when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, from its module. Raises UsageError for a name that the table does not have."""
        if cmd_name not in COMMANDS:
            near = get_close_matches(cmd_name, COMMANDS, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"no such command: {cmd_name}", hint=f"{meant}coldbench --help lists them")
        module = importlib.import_module(f"coldbench.cli.{cmd_name}")
        single = typer.Typer(rich_markup_mode=None, add_completion=False)
        single.command(cmd_name, help=COMMANDS[cmd_name])(module.command)
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """From the table: nothing is imported."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


_app = typer.Typer(
    cls=Commands,
    name="coldbench",
    help="What does a serverless function's cold start really cost, and what helps?",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"coldbench {__version__}")
        raise typer.Exit


@_app.callback()
def _front(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Options that stand before the command."""


app = typer.main.get_command(_app)
