"""The result of ``make test`` is green only when everything ran and passed."""

import pytest

from dev.console import Problem
from dev.settings import Settings
from dev.testing import SUITES, Result, read_result, select, summary

PLAIN = next(suite for suite in SUITES if not suite.in_odoo)
IN_ODOO = next(suite for suite in SUITES if suite.in_odoo)
FOLDER = IN_ODOO.paths[-1]


def result(suite, exit_code=0, passed=0, failed=0, skipped=0):
    counts = {"passed": passed, "failed": failed, "skipped": skipped}
    return Result(suite, exit_code, 1.5, counts)


def test_failed_suite_is_named():
    failed = result(PLAIN, exit_code=1, passed=3, failed=1)
    assert failed.complaint == "failed"
    assert "<- failed" in summary([failed], 2)


def test_suite_without_tests_is_a_failure():
    assert result(PLAIN, exit_code=5).complaint == "no tests found"


def test_skipped_test_inside_odoo_is_a_failure():
    assert result(IN_ODOO, passed=9, skipped=1).complaint
    assert not result(PLAIN, passed=9, skipped=1).complaint


def test_last_line_sums_up_all_suites_as_pytest_does():
    results = [result(PLAIN, passed=3, skipped=1), result(IN_ODOO, passed=4)]
    last = summary(results, 2).splitlines()[-1]
    assert last.strip("= ") == "7 passed, 1 skipped in 2.00s"


def test_the_seed_that_it_was_decided_by_is_among_the_last_lines():
    again = "chaos: SEED=7"
    lines = summary([result(PLAIN, passed=3)], 2, again).splitlines()
    assert lines[-2] == again


def test_counts_come_from_pytests_report(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite tests='99' time='2.5'>"
        "<testcase name='a'/><testcase name='b'><properties/></testcase>"
        "<testcase name='c'><failure/><failure/></testcase>"
        "<testcase name='d'><error/></testcase>"
        "<testcase name='e'><skipped/></testcase>"
        "</testsuite></testsuites>"
    )
    read = read_result(PLAIN, 1, report)
    assert read.counts == {"passed": 2, "failed": 2, "skipped": 1}
    assert read.seconds == 2.5


def test_pytest_that_died_without_a_report_counts_nothing(tmp_path):
    read = read_result(PLAIN, 1, tmp_path / "missing.xml")
    assert not sum(read.counts.values())
    assert read.complaint == "failed"


def test_all_suites_are_selected_and_a_missing_one_is_refused(tmp_path):
    for path in (path for suite in SUITES for path in suite.paths):
        (tmp_path / path).mkdir(parents=True, exist_ok=True)
    assert select(Settings(root=tmp_path)) == list(SUITES)
    (tmp_path / FOLDER).rmdir()
    with pytest.raises(Problem, match=f"{FOLDER} are missing"):
        select(Settings(root=tmp_path))


def test_part_of_a_suite_is_selected_by_path(tmp_path):
    (tmp_path / FOLDER).mkdir(parents=True)
    file = f"{FOLDER}/test_refund.py"
    (tmp_path / file).touch()
    wanted = f"{file}::TestRefund::test_full"
    (suite,) = select(Settings(root=tmp_path, test_path=wanted))
    assert FOLDER in suite.paths
    assert suite.arguments(tmp_path, wanted) == [wanted]


def test_each_file_of_a_folder_is_in_one_suite(tmp_path):
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    for name in ("test_refund.py", "test_tours.py", "test_tours_refund.py"):
        (folder / name).touch()
        path = f"{FOLDER}/{name}"
        assert len(select(Settings(root=tmp_path, test_path=path))) == 1
    suites = select(Settings(root=tmp_path, test_path=FOLDER))
    (browser, files), (rest, others) = (
        (suite.name, suite.arguments(tmp_path, FOLDER)) for suite in suites
    )
    assert (browser, rest) == ("browser", "addons")
    assert [path.rpartition("/")[2] for path in files] == [
        "test_tours.py",
        "test_tours_refund.py",
    ]
    assert others == [FOLDER, "--ignore-glob=*/test_tours*.py"]


@pytest.mark.parametrize("path", ["docs", "dev/tests/test_nothing.py", "/etc"])
def test_path_without_tests_is_refused(tmp_path, path):
    (tmp_path / "docs").mkdir()
    with pytest.raises(Problem, match=f"T={path}"):
        select(Settings(root=tmp_path, test_path=path))
