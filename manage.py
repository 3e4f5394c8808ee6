#!/usr/bin/env python
"""Every command of the platform: `python manage.py help`."""

import os
import sys
from pathlib import Path


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "whetstone.settings")
    if "--home" in sys.argv[:-1]:  # the settings are read before Django looks at a command's options
        os.environ["WHETSTONE_HOME"] = sys.argv[sys.argv.index("--home") + 1]
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
