"""`python -m strongroom.runtime`: what an operator can start."""

import os
from pathlib import Path

import click

from strongroom.core.errors import Refusal
from strongroom.core.settings import Settings
from strongroom.runtime import checks, environment, launch
from strongroom.runtime.terminal import Terminal


class _Operator(click.Group):
    """Shows refusals as sentences."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            Terminal().refusal(refusal.in_full)
            raise SystemExit(1) from None


@click.group(cls=_Operator, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """What an operator can start. Settings are environment variables: see docs/reference/settings.md."""
    checks.check_python()
    os.umask(0o077)


@main.command()
@click.option("--with-parent", is_flag=True, help="Stop in order when the program that started this one ends.")
def up(with_parent: bool) -> None:
    """Start everything, and stop it in order at Ctrl-C."""
    if with_parent:
        launch.stop_with_parent()
    settings = _django()
    from strongroom.runtime import up as front_door

    raise SystemExit(front_door.run(settings, Terminal()))


@main.command()
def web() -> None:
    """Run the web server alone."""
    settings = _home()
    from strongroom.runtime import web as server

    server.serve(settings)


@main.command()
@click.option("--ready-file", type=click.Path(path_type=Path), help="Where to write the process id once it works.")
def worker(ready_file: Path | None) -> None:
    """Run one background worker; any number may run."""
    _django()
    from strongroom.runtime import worker as working

    working.run(ready_file)


@main.command()
@click.option("--ready-file", type=click.Path(path_type=Path), help="Where to write the process id once it works.")
def relay(ready_file: Path | None) -> None:
    """Run the relay of created servers: their way to us, and people's way to them."""
    settings = _home()
    from strongroom.runtime import relay as relaying

    relaying.run(settings, ready_file)


@main.command("server-image")
@click.option("--debootstrap", is_flag=True, help="Make the base from Debian's mirror, as root, and fetch no image.")
@click.option("--again", is_flag=True, help="Build it although it is there, with the newest packages.")
def server_image(debootstrap: bool, again: bool) -> None:
    """Build the image that created servers are made from; servers have it from their next start on."""
    settings = _home()
    from strongroom.runtime import server_image as building

    terminal = Terminal()
    click.echo(building.build(settings, debootstrap=debootstrap, again=again, tell=terminal.note))


@main.command()
@click.option("--user", default="", help="Whom Strongroom runs as; default: who owns the home.")
def firewall(user: str) -> None:
    """Print the nftables rules that let only the operating user reach the engine's inner ports."""
    from strongroom.runtime import firewall as rules

    settings = environment.load()
    click.echo(rules.table(settings.home, settings.engine_port, user), nl=False)


@main.command()
def migrate() -> None:
    """Bring the database to what this version expects."""
    _django()
    from strongroom.runtime import migrating

    migrating.migrate()


@main.command("sign-in-code")
@click.argument("email")
def sign_in_code(email: str) -> None:
    """Print a one-time sign-in code for a person: the way back in for whoever owns the home."""
    settings = _django()
    from strongroom.actions import people

    click.echo(f"strongroom login {settings.web_url} --code {people.issue_code_locally(email).code}")


def _home() -> Settings:
    """The settings, and the home they name made ready for secrets."""
    settings = environment.load()
    checks.prepare_home(settings.home)
    return settings


def _django() -> Settings:
    """The settings, with Django set up and the parts joined; heavy imports come after this."""
    settings = _home()
    os.environ["DJANGO_SETTINGS_MODULE"] = "strongroom.runtime.django_settings"
    import django

    django.setup()
    from strongroom.runtime import compose

    compose.join(settings)
    return settings


if __name__ == "__main__":
    main(prog_name="python -m strongroom.runtime")
