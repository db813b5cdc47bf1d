"""``make readmes``: what an addon says of itself, made of its fragments in readme/.

The fragments are OCA's: DESCRIPTION, CONFIGURE, USAGE, ROADMAP, HISTORY, CONTRIBUTORS.
README.md is for who looks at the repository or the package;
static/description/index.html is what Odoo shows under *Apps*. A test compares both
with the fragments.

This module runs in the environment of the checkout.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

from dev.settings import ADDONS, ROOT, read_manifest

#: The fragments in their order, and the heading of each.
PARTS = {
    "DESCRIPTION": "",
    "CONFIGURE": "## Configuration\n\n",
    "USAGE": "## Usage\n\n",
    "ROADMAP": "## Known limits\n\n",
    "HISTORY": "## Changelog\n\n",
    "CONTRIBUTORS": "## Contributors\n\n",
}

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
</head>
<body>
<section class="container">
{body}</section>
</body>
</html>
"""


def markdown(addon: Path) -> str:
    """Return the README.md of an addon."""
    title = f"# {read_manifest(addon)['name']}\n"
    return "\n".join([title, *_texts(addon)])


def page(addon: Path) -> str:
    """Return the static/description/index.html of an addon.

    What a fragment has of HTML itself is shown as text.
    """
    renderer = MarkdownIt("commonmark", {"html": False})
    body = renderer.render(markdown(addon))
    return PAGE.format(title=escape(read_manifest(addon)["name"]), body=body)


def _texts(addon: Path) -> list[str]:
    """Return the fragments that there are, each below its heading."""
    files = {name: addon / "readme" / f"{name}.md" for name in PARTS}
    return [
        # The versions in HISTORY are headings of their own, one below ours
        PARTS[name] + file.read_text().replace("## ", "### ")
        for name, file in files.items()
        if file.is_file()
    ]


def write() -> None:
    """Write both files of each addon anew."""
    for name in ADDONS:
        addon = ROOT / name
        (addon / "README.md").write_text(markdown(addon))
        index = addon / "static/description/index.html"
        index.parent.mkdir(parents=True, exist_ok=True)
        index.write_text(page(addon))


if __name__ == "__main__":
    write()
