"""What runs on GitHub is what `make` knows; nobody can run the workflow here."""

import re

import pytest
import yaml

from dev.commands import COMMANDS
from dev.settings import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def commands_of(workflow: dict) -> list[str]:
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_is_one_and_each_step_does_something(path):
    workflow = yaml.safe_load(path.read_text())
    # YAML 1.1 reads the key `on` as true
    assert workflow[True].keys() == {"push", "pull_request"}
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_calls_commands_of_make_that_there_are(path):
    lines = "\n".join(commands_of(yaml.safe_load(path.read_text())))
    called = re.findall(r"^make (\w+)", lines, re.M)
    assert {"lint", "test"} <= set(called) <= set(COMMANDS)


def test_makefile_has_each_command():
    makefile = (ROOT / "Makefile").read_text()
    listed = re.search(r"^COMMANDS := (.+)$", makefile, re.M)[1].split()
    assert listed == list(COMMANDS)
