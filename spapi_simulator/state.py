"""What the simulator knows, in a file: it goes on after a restart where it stopped."""

import os
import pickle
from pathlib import Path


class StateError(ValueError):
    """The file is none of this simulator; its text says what to do."""


def load(path):
    """Return the simulator that was saved in a file.

    The file is the simulator's own: whoever can write it runs code in it.

    :param path: the file
    :return: None where there is no file
    :rtype: spapi_simulator.simulator.Simulator | None
    :raise StateError: when it cannot be read
    """
    try:
        return pickle.loads(Path(path).read_bytes())  # noqa: S301 - our own file
    except FileNotFoundError:
        return None
    except Exception as error:
        # What an older simulator wrote may fail in any way
        raise StateError(
            f"{path} is not a state of this simulator ({type(error).__name__}): delete "
            "it to begin anew."
        ) from None


def save(simulator, path):
    """Write down all that a simulator knows, for this user alone.

    :param simulator: that serves nobody any more
    :param path: the file; the former one stays until the new one is whole
    """
    beside = Path(f"{path}.new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    with simulator.lock:
        beside.write_bytes(pickle.dumps(simulator))
    os.replace(beside, path)
