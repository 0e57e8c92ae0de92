"""The lists and counts the guard reads; `benchmarks/tables` rebuilds them and names their sources."""

import gzip
import json
from importlib import resources
from typing import Any


def read(name: str) -> Any:
    """The table *name*, as it was written."""
    return json.loads(gzip.decompress(resources.files(__name__).joinpath(name).read_bytes()))
