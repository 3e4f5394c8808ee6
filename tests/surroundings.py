"""A pytest plugin that is loaded before Django's settings: no test sees or touches the developer's own platform."""

import os
import tempfile

for name in [n for n in os.environ if n.startswith("WHETSTONE_") and not n.startswith("WHETSTONE_TEST_")]:
    del os.environ[name]
_home = tempfile.TemporaryDirectory(prefix="whetstone-tests-")
os.environ["WHETSTONE_HOME"] = _home.name
