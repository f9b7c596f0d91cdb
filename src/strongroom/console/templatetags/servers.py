"""How templates say the memory of a machine."""

from django import template

register = template.Library()


@register.filter
def memory(count: int) -> str:
    """Bytes in binary units, as memory is sold: `2 GiB`."""
    return f"{count / 1024**3:g} GiB"
