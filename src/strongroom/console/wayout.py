"""What a refusal names as the way out, said as people at a browser find it: by the button instead of the command."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext, gettext_noop

from strongroom.console.words import translated

COMMAND = re.compile(r"`(strongroom [^`]+)`")
BUTTONS: Mapping[str, str] = {
    "strongroom dataset list": gettext_noop("the data sets of your spaces"),
    "strongroom fixity show": gettext_noop("“Integrity” on the data set's page"),
    "strongroom grant create": gettext_noop("“Provision server access” on the data set's page"),
    "strongroom grant edit": gettext_noop("“Change when it ends”, below the server,"),
    "strongroom grant list": gettext_noop("“Dataset access” on the data set's page"),
    "strongroom manifest download": gettext_noop("“Integrity” on the data set's page"),
    "strongroom manifest show": gettext_noop("“Integrity” on the data set's page"),
    "strongroom mapping list": gettext_noop("“Groups” on the pages of the staff"),
    "strongroom member edit": gettext_noop("“Save role” below their name"),
    "strongroom member list": gettext_noop("“People and roles” of the space"),
    "strongroom mfa enrol": gettext_noop("“Set up an authenticator app” on your account page"),
    "strongroom mfa prove": gettext_noop("“Is it still you?”"),
    "strongroom mfa remove": gettext_noop("“Remove second factor” on your account page"),
    "strongroom passkey list": gettext_noop("“Passkeys” on the page of your second factor"),
    "strongroom person list": gettext_noop("“People” on the pages of the staff"),
    "strongroom server edit --owner": gettext_noop("“Edit” on the server's page"),
    "strongroom server enrol": gettext_noop("“Enrol a machine” on the page of the space's servers"),
    "strongroom server list": gettext_noop("“Servers” of the space"),
    "strongroom server offerings": gettext_noop("“Create a server” on the page of the space's servers"),
    "strongroom server rejoin": gettext_noop("“New join command” on the server's page"),
    "strongroom server start": gettext_noop("“Start” on the server's page"),
    "strongroom session list": gettext_noop("“Where you are signed in” on your account page"),
    "strongroom space list": gettext_noop("your spaces"),
    "strongroom system status": gettext_noop("“Health” on the pages of the staff"),
    "strongroom token list": gettext_noop("“Access tokens” on your account page"),
    "strongroom transfer list": gettext_noop("“Transfers that run now”, below “Dataset access” on the data set's page"),
    "strongroom transfer open": gettext_noop("“Upload” on the data set's page"),
}
"""By command. What is not here is typed into a terminal whoever tells it, such as `strongroom login`."""
_OPTIONS = {
    ": --allow-empty (API: allow_empty).": gettext_noop(": tick “It is meant to be empty”."),
}


def at_a_browser(sentence: str) -> str:
    """The same sentence in the language of the page, with buttons in place of commands and options."""
    sentence = translated(sentence)
    for option, box in _OPTIONS.items():
        sentence = sentence.replace(option, gettext(box))
    return COMMAND.sub(lambda found: gettext(BUTTONS[found[1]]) if found[1] in BUTTONS else found[0], sentence)
