"""The OpenAPI document as the repository keeps it; Django must be set up before this is called."""

import json


def openapi_json() -> str:
    """The whole document, indented, with a line break at its end."""
    from strongroom.api.api import api  # its routers import the tables, which Django must know by then

    return json.dumps(api.get_openapi_schema(), indent=1, ensure_ascii=False) + "\n"
