"""What a refusal names as the way out, said as people at a browser find it: by the button instead of the command."""

import re
from collections.abc import Mapping

COMMAND = re.compile(r"`(strongroom [^`]+)`")
BUTTONS: Mapping[str, str] = {
    "strongroom dataset list": "the data sets of your spaces",
    "strongroom grant create": "“Provision server access” on the data set's page",
    "strongroom grant edit": "“Change when it ends”, below the server,",
    "strongroom grant list": "“Dataset access” on the data set's page",
    "strongroom mapping list": "“Groups” on the pages of the staff",
    "strongroom member edit": "“Save role” below their name",
    "strongroom member list": "“People and roles” of the space",
    "strongroom mfa enrol": "“Set up an authenticator app” on your account page",
    "strongroom mfa prove": "“Is it still you?”",
    "strongroom mfa remove": "“Remove second factor” on your account page",
    "strongroom passkey list": "“Passkeys” on the page of your second factor",
    "strongroom person list": "“People” on the pages of the staff",
    "strongroom server edit --owner": "“Edit” on the server's page",
    "strongroom server enrol": "“Enrol a machine” on the page of the space's servers",
    "strongroom server list": "“Servers” of the space",
    "strongroom server offerings": "“Create a server” on the page of the space's servers",
    "strongroom server rejoin": "“New join command” on the server's page",
    "strongroom server start": "“Start” on the server's page",
    "strongroom session list": "“Where you are signed in” on your account page",
    "strongroom space list": "your spaces",
    "strongroom system status": "“Health” on the pages of the staff",
    "strongroom token list": "“Access tokens” on your account page",
}
"""By command. What is not here is typed into a terminal whoever tells it, such as `strongroom login`."""
_OPTIONS = {
    ": --allow-empty (API: allow_empty).": ": tick “It is meant to be empty”.",
}


def at_a_browser(sentence: str) -> str:
    """The same sentence with buttons in place of commands and options."""
    for option, box in _OPTIONS.items():
        sentence = sentence.replace(option, box)
    return COMMAND.sub(lambda found: BUTTONS.get(found[1], found[0]), sentence)
