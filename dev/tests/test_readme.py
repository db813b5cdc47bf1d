"""Each addon's README, which Odoo shows in its list of apps, says what is so."""

import pytest

from dev.settings import ADDONS, ROOT, read_manifest

PARTS = {
    "DESCRIPTION": "",
    "CONFIGURE": "## Configuration\n\n",
    "USAGE": "## Usage\n\n",
    "ROADMAP": "## Known limits\n\n",
    "CONTRIBUTORS": "## Contributors\n\n",
}


@pytest.mark.parametrize("addon", ADDONS)
def test_readme_of_the_addon_is_made_of_its_fragments(addon):
    folder = ROOT / addon / "readme"
    found = {path.stem for path in folder.iterdir()}
    assert {"DESCRIPTION", "CONTRIBUTORS"} <= found <= set(PARTS)
    texts = [
        heading + (folder / f"{name}.md").read_text()
        for name, heading in PARTS.items()
        if name in found
    ]
    readme = (ROOT / addon / "README.md").read_text()
    title = read_manifest(ROOT / addon)["name"]
    assert readme == "\n".join([f"# {title}\n", *texts])
