"""What an addon says of itself is made of its fragments: in its README.md, and in the
page that Odoo shows in its list of apps."""

import pytest

from dev import readmes
from dev.settings import ADDONS, ROOT, read_manifest


@pytest.mark.parametrize("addon", ADDONS)
def test_each_addon_has_the_fragments_it_needs_and_no_others(addon):
    found = {path.stem for path in (ROOT / addon / "readme").iterdir()}
    assert {"DESCRIPTION", "HISTORY", "CONTRIBUTORS"} <= found <= set(readmes.PARTS)


@pytest.mark.parametrize("addon", ADDONS)
def test_readme_and_page_follow_the_fragments(addon):
    folder = ROOT / addon
    index = folder / "static/description/index.html"
    again = "run `make readmes`"
    assert (folder / "README.md").read_text() == readmes.markdown(folder), again
    assert index.read_text() == readmes.page(folder), again


@pytest.mark.parametrize("addon", ADDONS)
def test_history_begins_with_the_version_of_the_manifest(addon):
    version = read_manifest(ROOT / addon)["version"]
    history = (ROOT / addon / "readme/HISTORY.md").read_text()
    assert history.startswith(f"## {version} (")


def make_addon(folder, **fragments):
    (folder / "readme").mkdir()
    (folder / "__manifest__.py").write_text("{'name': 'Orders & more'}")
    for name, text in fragments.items():
        (folder / "readme" / f"{name}.md").write_text(text)
    return folder


def test_readme_has_the_fragments_in_their_order_below_their_headings(tmp_path):
    addon = make_addon(
        tmp_path, HISTORY="## 1.0\n\n- First.\n", DESCRIPTION="What it is.\n"
    )
    assert readmes.markdown(addon) == (
        "# Orders & more\n\nWhat it is.\n\n## Changelog\n\n### 1.0\n\n- First.\n"
    )


def test_page_shows_markdown_as_html_and_html_as_text(tmp_path):
    addon = make_addon(tmp_path, DESCRIPTION="*Refund* <script>alert(1)</script>\n")
    page = readmes.page(addon)
    assert "<title>Orders &amp; more</title>" in page
    assert "<em>Refund</em>" in page
    assert "<script>" not in page
