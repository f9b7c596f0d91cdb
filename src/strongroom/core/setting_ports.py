"""Which ports the settings may not give away twice; refuses to know what else takes one on the machine."""

from collections.abc import Mapping

from strongroom.core.errors import Invalid
from strongroom.core.sentences import say


def refuse_taken_ports(chosen: Mapping[str, int], *, engine: range, servers: range) -> None:
    """Raises: Invalid when two of the `chosen`, by variable, are the same, or one is the engine's or a server's."""
    for variable, port in chosen.items():
        if port in engine:
            first, last = engine[0], engine[-1]
            raise Invalid(
                say(
                    "{variable} is {port}, inside the engine's own ports {first}-{last}: choose another, or move "
                    "STRONGROOM_ENGINE_PORT.",
                    variable=variable,
                    port=port,
                    first=first,
                    last=last,
                ),
                fields={variable: say("inside the engine's own ports")},
            )
    for variable, port in chosen.items():
        if port in servers:
            raise Invalid(
                say(
                    "{variable} is {port}, which STRONGROOM_SERVER_SSH_PORTS holds, too: choose others there.",
                    variable=variable,
                    port=port,
                ),
                fields={"STRONGROOM_SERVER_SSH_PORTS": say("holds that of {variable}", variable=variable)},
            )
    (web, port), (gateway, other) = chosen.items()
    if port == other:
        raise Invalid(
            say("{web} and {gateway} are both {port}: choose two ports.", web=web, gateway=gateway, port=port),
            fields={gateway: say("same as the web port")},
        )
