from . import typed_numbers
