#!/usr/bin/env python
"""Every command of the platform: `python manage.py help`."""

import os
import sys
from pathlib import Path


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whetstone.settings")
    if home := given_home(sys.argv):  # the settings are read before Django looks at a command's options
        os.environ["WHETSTONE_HOME"] = home
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def given_home(arguments: list[str]) -> str | None:
    """What `--home DIR` or `--home=DIR` says."""
    for place, argument in enumerate(arguments):
        if argument == "--home" and place + 1 < len(arguments):
            return arguments[place + 1]
        if argument.startswith("--home="):
            return argument.removeprefix("--home=")
    return None


if __name__ == "__main__":
    main()
