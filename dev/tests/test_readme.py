"""The addon's README, which Odoo shows in its list of apps, says what is so."""

from dev.settings import ADDON, ROOT

PARTS = {
    "DESCRIPTION": "",
    "CONFIGURE": "## Configuration\n\n",
    "USAGE": "## Usage\n\n",
    "ROADMAP": "## Known limits\n\n",
    "CONTRIBUTORS": "## Contributors\n\n",
}


def test_readme_of_the_addon_is_made_of_its_fragments():
    folder = ROOT / ADDON / "readme"
    assert {path.stem for path in folder.iterdir()} == set(PARTS)
    texts = [
        heading + (folder / f"{name}.md").read_text() for name, heading in PARTS.items()
    ]
    readme = (ROOT / ADDON / "README.md").read_text()
    assert readme == "\n".join(["# Amazon Helpdesk Actions\n", *texts])
