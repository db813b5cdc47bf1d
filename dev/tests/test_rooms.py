"""The rooms of the core, and which of them may know of which: `docs/architecture.md`
has the table, and the code keeps to it."""

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "amazon_order_actions"
PAGE = ROOT / "docs/architecture.md"
#: In each manifest; the only place for the word.
AUTHOR = "amazon helpdesk actions contributors"
#: Files of one folder, and lines of one room, above which it is taken apart.
MOST_FILES, MOST_LINES = 20, 3200
#: Files of the core that may define or extend the action: it is what was asked, and
#: what is known of it; all else is a model of its own.
MOST_ACTION_FILES = 4
#: Times that a file may open a model of another one, see "Models opened again".
MOST_OPENED_AGAIN = 10
#: By what pylint is told so.
SILENCE = "consider-merging-classes-inherited"


def rows(heading):
    """Return the rows of the table below a heading, as lists of cells."""
    text = PAGE.read_text().split(f"\n{heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE).group(0)
    cells = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in table.splitlines()
    ]
    return cells[2:]


def allowed():
    """Return for each room what it may use."""
    return {
        room.strip("`/"): set(re.findall(r"`(\w+)/`", uses))
        for room, _sentence, uses in rows("### Rooms of the core")
    }


def pointing_back():
    """Return the models of later rooms that a room may name, and whether in fields
    alone."""
    return {
        (room.strip("`/"), model.strip("`")): as_what.startswith("fields:")
        for room, model, as_what in rows("### What points back")
    }


def files():
    """Return the Python files that stand in rooms, with their room."""
    return [
        (path, path.relative_to(CORE).parts[1])
        for top in ("models", "wizards")
        for path in sorted((CORE / top).glob("*/*.py"))
        if path.name != "__init__.py"
    ]


def literal(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def models_of(tree):
    """Yield the model of each class, and whether the class defines it."""
    for found in ast.walk(tree):
        if isinstance(found, ast.ClassDef):
            values = values_of(found)
            name, parents = values.get("_name"), values.get("_inherit") or ()
            parents = (parents,) if isinstance(parents, str) else parents
            if name or parents:
                yield name or parents[0], bool(name) and name not in parents


def values_of(found):
    """Return the plain attributes of a class."""
    return {
        part.targets[0].id: literal(part.value)
        for part in found.body
        if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name)
    }


def names_of(tree):
    """Yield the models that are defined."""
    return (name for name, is_defined in models_of(tree) if is_defined)


@pytest.fixture(scope="module")
def trees():
    return [(path, room, ast.parse(path.read_text())) for path, room in files()]


@pytest.fixture(scope="module")
def owners(trees):
    return {name: room for _path, room, tree in trees for name in names_of(tree)}


def imported_rooms(path, tree):
    """Yield the rooms from which a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.relative_to(CORE).parts[: -node.level]
            whole = [*base, *(node.module or "").split(".")]
            if whole[0] in ("models", "wizards") and len(whole) > 1:
                yield whole[1]


def named_models(tree, owners):
    """Yield the models of ours that a file names, and whether as what a field refers
    to."""
    fields = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("fields.")
        for argument in node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in owners:
            yield node.value, id(node) in fields


@pytest.fixture(scope="module")
def named(trees, owners):
    """The models of rooms that a room may not use, with whether each is named in fields
    alone."""
    known, found = allowed(), {}
    for _path, room, tree in trees:
        for model, in_field in named_models(tree, owners):
            if owners[model] != room and owners[model] not in known[room]:
                found[room, model] = found.get((room, model), True) and in_field
    return found


def test_every_room_stands_in_the_table():
    assert {room for _path, room in files()} <= set(allowed())


def test_no_room_imports_from_another_that_it_may_not_use(trees):
    known = allowed()
    wrong = [
        f"{path.relative_to(CORE)}: {target}/"
        for path, room, tree in trees
        for target in imported_rooms(path, tree)
        if target not in {room, *known[room]}
    ]
    assert not wrong


def test_models_of_later_rooms_are_named_as_the_table_says(named):
    said = pointing_back()
    assert set(named) == set(said)
    assert [key for key in named if said[key] and not named[key]] == []


def test_rooms_that_may_use_each_other_do_not_form_a_ring():
    known, order = allowed(), []
    while len(order) < len(known):
        free = [
            room for room in known if room not in order and known[room] <= set(order)
        ]
        assert free, sorted(set(known) - set(order))
        order += free


def test_no_folder_and_no_room_is_too_large():
    sizes, lines = defaultdict(int), defaultdict(int)
    for path, room in files():
        sizes[path.parent] += 1
        if path.relative_to(CORE).parts[0] == "models":
            lines[room] += len(path.read_text().splitlines())
    assert {folder for folder, size in sizes.items() if size > MOST_FILES} == set()
    assert {room for room, count in lines.items() if count > MOST_LINES} == set()


def test_the_action_is_opened_in_few_files():
    opened = [
        path
        for path, _room in files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("_inherit", "_name")
        and literal(node.value) == "amazon.action"
    ]
    assert 0 < len(opened) <= MOST_ACTION_FILES, opened


def test_models_that_are_opened_again_stand_in_the_table(trees):
    order = list(allowed())
    in_order = sorted(trees, key=lambda each: order.index(each[1]))
    homes = {name: path for path, _room, tree in trees for name in names_of(tree)}
    # of a model of Odoo's, the first that opens it
    found = {
        (str(path.relative_to(CORE)), room, name)
        for path, room, tree in in_order
        for name, _is_defined in models_of(tree)
        if homes.setdefault(name, path) != path
    }
    said = rows("### Models opened again")
    assert {(path, name) for path, _room, name in found} == {
        (path.strip("`"), name.strip("`")) for path, name, _reason in said
    }
    assert all(reason for _path, _name, reason in said)
    assert len(said) <= MOST_OPENED_AGAIN
    places = Counter((room, name) for _path, room, name in found)
    assert max(places.values()) == 1, "once for a room and model"


def test_nothing_else_is_silenced():
    silenced = {
        str(path.relative_to(CORE))
        for path in CORE.rglob("*.py")
        if SILENCE in path.read_text()
    }
    assert silenced <= {
        path.strip("`") for path, _name, _reason in rows("### Models opened again")
    }


def test_gatekeepers_stand_in_the_table_in_their_order(trees):
    found = [
        (values["_place"], values["_name"].rpartition(".")[2], room)
        for _path, room, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and (values := values_of(node)).get("_inherit") == "amazon.gatekeeper"
    ]
    assert sorted(found) == [
        (int(place), name.strip("`"), room.strip("`/"))
        for place, name, room, _what in rows("## What may leave")
    ]


def test_the_core_has_no_word_of_a_help_desk():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted(CORE.rglob("*"))
        if path.suffix in (".py", ".xml", ".js", ".csv", ".sql", ".scss")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if "helpdesk" in line.lower().replace(AUTHOR, "")
    ]
    assert not found


def test_the_strict_layer_knows_no_odoo():
    found = [
        str(path.relative_to(ROOT))
        for path in (CORE / "spapi").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("odoo"))
        or (
            isinstance(node, ast.Import)
            and any(alias.name.partition(".")[0] == "odoo" for alias in node.names)
        )
    ]
    assert not found
