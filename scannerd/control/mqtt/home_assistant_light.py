"""The light on the object as Home Assistant's own kind: switched, dimmed, and coloured where it has colours.

Its "template" schema (https://www.home-assistant.io/integrations/light.mqtt/#template-schema) sends one command for
whatever a person changed, and names only that. A scan is taken in the light as it shines when it starts.
"""

from typing import Any

from scannerd.control.mqtt.topics import Topics

_LEVEL = '{% if brightness is defined %}, "level": {{ (brightness / 255) | round(3) }}{% endif %}'
_COLOUR = (
    '{% if red is defined %}, "colour": "{{ \'#%02x%02x%02x\' | format(red | int, green | int, blue | int) }}"'
    "{% endif %}"
)
_HUES = {"red": "[1:3]", "green": "[3:5]", "blue": "[5:7]"}


def light_entity(topics: Topics, *, has_colours: bool) -> dict[str, Any]:
    """Return the light, whose brightness and hues run from 0 to 255 over there."""
    hues = {
        f"{hue}_template": f"{{{{ (value_json.light_colour or '#ffffff'){digits} | int(0, 16) }}}}"
        for hue, digits in _HUES.items()
    }
    return {
        "platform": "light",
        "schema": "template",
        "name": "Light",
        "command_topic": topics.command,
        "command_on_template": f'{{"command": "light"{_LEVEL}{_COLOUR if has_colours else ""}}}',
        "command_off_template": '{"command": "light", "level": 0}',
        "state_topic": topics.state,
        "state_template": "{{ 'on' if value_json.light_level else 'off' }}",
        "brightness_template": "{{ ((value_json.light_level or 0) * 255) | round | int }}",
        **(hues if has_colours else {}),
        "icon": "mdi:lightbulb",
    }
