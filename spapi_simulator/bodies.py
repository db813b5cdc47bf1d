"""Checks JSON bodies against the models: types, lengths, values, no stray keys."""

import re
from dataclasses import dataclass, field

from .clock import parse_iso
from .errors import invalid_input


def _wrong_type(name):
    # Amazon's words, quoted in selling-partner-api-models#5094.
    return invalid_input(
        "The input you have submitted is not valid. Please check the fields with"
        f" invalid type [{name}]."
    )


@dataclass(frozen=True)
class Text:
    """A string. `pattern` must match all of it."""

    least: int = 1
    most: int | None = None
    choices: tuple = ()
    pattern: str | None = None

    def read(self, value, name):
        """Return the value.

        :raise ApiError: 400 when it does not fit the model
        """
        if not isinstance(value, str):
            raise _wrong_type(name)
        if len(value) < self.least or (self.most and len(value) > self.most):
            raise invalid_input(
                f"{name} must have {self.least} to {self.most or 'any number of'}"
                " characters."
            )
        if self.choices and value not in self.choices:
            raise invalid_input(f"{name}: {value!r} is not one of the values.")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise invalid_input(f"{name}: {value!r} is not valid.")
        return value


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` on."""

    least: int = 1

    def read(self, value, name):
        """Return the value, see `Text.read`."""
        if type(value) is not int:
            raise _wrong_type(name)
        if value < self.least:
            raise invalid_input(f"{name} must be at least {self.least}.")
        return value


@dataclass(frozen=True)
class Moment:
    """A date-time in ISO 8601."""

    def read(self, value, name):
        """Return an aware datetime, see `Text.read`."""
        try:
            return parse_iso(value)
        except (TypeError, ValueError):
            raise invalid_input(f"{name}: {value!r} is not a date-time.") from None


@dataclass(frozen=True)
class Many:
    """A list of values."""

    of: object
    least: int = 0
    most: int | None = None

    def read(self, value, name):
        """Return a list, see `Text.read`."""
        if not isinstance(value, list):
            raise _wrong_type(name)
        if len(value) < self.least or (self.most and len(value) > self.most):
            raise invalid_input(f"{name} has {len(value)} entries.")
        return [
            self.of.read(row, f"{name}[{number}]") for number, row in enumerate(value)
        ]


@dataclass(frozen=True)
class Keys:
    """An object with exactly these keys."""

    required: dict = field(default_factory=dict)
    optional: dict = field(default_factory=dict)

    def read(self, value, name):
        """Return a dict, see `Text.read`."""
        if not isinstance(value, dict):
            raise _wrong_type(name)
        known = self.required | self.optional
        prefix = f"{name}." if name else ""
        for key in self.required:
            if key not in value:
                raise invalid_input(f"{prefix}{key} is missing.")
        for key in value:
            if key not in known:
                raise invalid_input(f"{prefix}{key} is not a key of the body.")
        return {key: known[key].read(row, prefix + key) for key, row in value.items()}


# ISO 3166-1 alpha-2
COUNTRY = Text(pattern="[A-Z]{2}")
