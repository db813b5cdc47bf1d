"""``python -m fuzzing SEED SECONDS``: each target for so long, one JSON line each."""

import json
import resource
import sys

from fuzzing.runner import fuzz
from fuzzing.targets import TARGETS

#: Bytes of address space; an input that makes the code take more is a failure.
MEMORY = 4 * 1024**3


def main(seed, seconds):
    """Fuzz all targets, and return 1 when one of them failed."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    failed = False
    for target in TARGETS:
        result = fuzz(target, seed, seconds=seconds)
        failed |= bool(result["failures"])
        print(json.dumps(result), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2])))
