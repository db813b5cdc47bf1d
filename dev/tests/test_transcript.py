"""The transcript does what the README says, in its order, and nothing else."""

import pytest

from dev import transcript
from dev.console import Problem
from dev.settings import ROOT

README = (ROOT / "README.md").read_text()


def test_steps_are_the_lines_and_words_of_the_readme_in_their_order():
    steps = transcript.steps_of(README)
    blocks = [one for one in steps if isinstance(one, transcript.Block)]
    clicks = [one.words for one in steps if isinstance(one, transcript.Click)]
    assert clicks == list(transcript.CLICKS)
    assert blocks[0].lines[0].startswith("PYTHON=")
    assert blocks[1].lines[0].endswith("install -r requirements.txt")
    assert blocks[-1].lines == (transcript.SERVES,)


def test_key_stands_before_the_installation_and_a_restart_on_each_side_of_it():
    steps = transcript.steps_of(README)
    what = [
        one.words if isinstance(one, transcript.Click) else " ".join(one.lines)
        for one in steps
    ]
    key = next(number for number, text in enumerate(what) if "keys =" in text)
    install = what.index("and *Activate* it")
    restarts = [number for number, text in enumerate(what) if text == "$RESTART"]
    assert key < restarts[0] < install < restarts[1]


def test_every_block_of_a_shell_in_these_sections_is_run():
    sections = [
        README.split(f"{heading}\n")[1].split("\n## ")[0]
        for heading in transcript.HEADINGS
    ]
    fences = sum(section.count("```") for section in sections)
    blocks = [
        one for one in transcript.steps_of(README) if isinstance(one, transcript.Block)
    ]
    assert 2 * len(blocks) == fences


@pytest.mark.parametrize("words", [*transcript.CLICKS, *transcript.HEADINGS])
def test_step_that_the_readme_no_longer_tells_of_fails(words):
    with pytest.raises(Problem, match="any more"):
        transcript.steps_of(README.replace(words, "something else"))


def test_names_are_replaced_and_no_others():
    lines = ("PYTHON=/a  # comment", 'RESTART="systemctl restart odoo"')
    own = {"PYTHON": "/my python", "RESTART": "true"}
    assert transcript.with_own_names(lines, own) == (
        "PYTHON='/my python'",
        "RESTART=true",
    )
    with pytest.raises(Problem, match="has the names"):
        transcript.with_own_names((*lines, "MORE=1"), own)


def test_line_that_fails_ends_the_transcript_with_its_code(tmp_path, capsys):
    shell = transcript.Shell(tmp_path)
    try:
        assert shell.run("NAME='two words'; printf 'no newline'") == "no newline"
        assert shell.run('echo "$NAME"') == "two words"
        with pytest.raises(Problem, match="exit code 3 .*: .echo why; exit 3"):
            shell.run("(echo why; exit 3)")
        assert "why" in capsys.readouterr().out
        with pytest.raises(Problem, match="shell ended"):
            shell.run("exit 0")
    finally:
        shell.close()
