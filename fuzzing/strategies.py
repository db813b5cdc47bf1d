"""How hostile inputs are made: samples with parts exchanged, and bytes changed."""

import copy
import json

from hypothesis import strategies as st

#: Values that stand where something else is expected.
HOSTILE = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    10**17,
    -(10**18),
    10**30,
    10**400,
    0.1,
    -0.0,
    1e-320,
    1e308,
    float("inf"),
    float("nan"),
    "",
    " ",
    "1",
    "-1",
    "1e400",
    "1e999999999",
    "NaN",
    "1_0",
    "١",
    "EUR",
    "USD",
    "x" * 300,
    "x" * 5000,
    "\0",
    "\ud800",
    "\u202e",
    "<b>",
    "=1+1",
    "../x",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-11-03T08:00:00Z",
    "Principal",
    "Refund",
    "DISCOUNT",
    "TAX",
    [],
    {},
    [None],
    [[]],
    [{}],
    {"": None},
    {"amount": "1", "currencyCode": "EUR"},
]

#: Parts of a document that is not made bigger any more.
MANY = 2000

#: Copies, since a later change of a document would change what is drawn next.
hostile = st.sampled_from(HOSTILE).map(copy.deepcopy)
leaves = st.one_of(
    hostile,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
)
any_json = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=8), inner, max_size=4),
    ),
    max_leaves=15,
)


def _places(node, found):
    """Collect every (container, key) in a document."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, part in list(pairs):
        found.append((node, key))
        if isinstance(part, dict | list):
            _places(part, found)
    return found


@st.composite
def mutated(draw, sample):
    """A sample in which some parts are exchanged, repeated, nested or missing."""
    document = copy.deepcopy(sample)
    for _change in range(draw(st.integers(0, 4))):
        places = _places(document, [])
        if not 0 < len(places) < MANY:
            break
        node, key = places[draw(st.integers(0, len(places) - 1))]
        how = draw(st.sampled_from("set set set any drop repeat nest swap".split()))
        if how == "set":
            node[key] = draw(hostile)
        elif how == "any":
            node[key] = draw(any_json)
        elif how == "drop":
            del node[key]
        elif how == "repeat":
            many = draw(st.sampled_from([2, 3, 50]))
            part = node[key]
            node[key] = part * many if isinstance(part, list | str) else [part] * many
        elif how == "nest":
            for _level in range(draw(st.sampled_from([1, 2, 70]))):
                node[key] = draw(st.sampled_from([[node[key]], {str(key): node[key]}]))
        else:
            other, other_key = places[draw(st.integers(0, len(places) - 1))]
            node[key] = copy.deepcopy(other[other_key])
    return document


@st.composite
def bytes_of(draw, documents):
    """A document as bytes, some of them changed."""
    text = json.dumps(draw(documents), ensure_ascii=draw(st.booleans()))
    data = text.encode(errors="surrogatepass")
    return draw(damaged(data)) if draw(st.integers(0, 3)) == 0 else data


@st.composite
def damaged(draw, data):
    """Bytes of which some are changed, left out, repeated or added."""
    data = bytearray(data)
    for _change in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        how = draw(st.sampled_from(["put", "drop", "repeat", "flip", "cut"]))
        if how == "put":
            data[start:end] = draw(st.binary(max_size=20))
        elif how == "drop":
            del data[start:end]
        elif how == "repeat":
            data[start:start] = data[start:end] * draw(st.sampled_from([1, 2, 200]))
        elif how == "flip" and start < len(data):
            data[start] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del data[start:]
    return bytes(data)
