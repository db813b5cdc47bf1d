"""Runs a target for a number of cases or for some time, and counts."""

import time

from hypothesis import HealthCheck, Phase, given, seed, settings

#: Cases of one round; each round has a seed of its own.
ROUND = 500


def fuzz(target, first_seed, cases=None, seconds=None):
    """Fuzz a target; stop at the first failure, made as small as it gets.

    :param Target target: what
    :param int first_seed: decides all inputs
    :param int cases: how many, where no time is given
    :param float seconds: for how long
    :return: what `make fuzz` prints: target, seed, cases, seconds, failures
    :rtype: dict
    """
    counted, failures = 0, []

    def check(drawn):
        nonlocal counted
        counted += 1
        target.run(drawn)

    started = time.monotonic()
    number = 0
    while not failures:
        run = settings(
            max_examples=ROUND if seconds else cases,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )(given(target.inputs)(check))
        try:
            seed(first_seed + number)(run)()
        except Exception as error:  # noqa: BLE001
            notes = getattr(error, "__notes__", [])
            failures.append(
                {
                    "seed": first_seed + number,
                    "error": f"{type(error).__name__}: {error}"[:2000],
                    "input": "\n".join(notes)[:2000],
                }
            )
        number += 1
        if not seconds or time.monotonic() - started >= seconds:
            break
    return {
        "target": target.name,
        "seed": first_seed,
        "cases": counted,
        "seconds": round(time.monotonic() - started, 1),
        "failures": failures,
    }
