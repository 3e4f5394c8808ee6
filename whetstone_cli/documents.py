"""Files that a person wrote: JSON, or YAML."""

import json
from pathlib import Path
from typing import Any

import yaml

from whetstone_cli.ends import refuse


def read(path: Path) -> Any:  # Any: JSON
    """Raises Ended."""
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise refuse(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise refuse(f"{path} is no text in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise refuse(f"{path} is not JSON: {error}.") from None
    except yaml.YAMLError as error:
        raise refuse(f"{path} is not YAML: {' '.join(str(error).split())}.") from None
