"""The result of ``make test`` is green only when everything ran and passed."""

import pytest

from dev.console import Problem
from dev.settings import Settings
from dev.testing import SUITES, Result, read_counts, select, summary

PLAIN = next(suite for suite in SUITES if not suite.in_odoo)
IN_ODOO = next(suite for suite in SUITES if suite.in_odoo)


def result(suite, exit_code=0, passed=0, failed=0, skipped=0):
    counts = {"passed": passed, "failed": failed, "skipped": skipped}
    return Result(suite, exit_code, 1.5, counts)


def test_failed_suite_is_named():
    failed = result(PLAIN, exit_code=1, passed=3, failed=1)
    assert failed.complaint == "failed"
    assert "<- failed" in summary([failed])


def test_suite_without_tests_is_a_failure():
    assert result(PLAIN, exit_code=5).complaint == "no tests found"


def test_skipped_test_inside_odoo_is_a_failure():
    assert result(IN_ODOO, passed=9, skipped=1).complaint
    assert not result(PLAIN, passed=9, skipped=1).complaint


def test_last_line_sums_up_all_suites_as_pytest_does():
    last = summary([result(PLAIN, passed=3, skipped=1), result(IN_ODOO, passed=4)])
    assert last.splitlines()[-1].strip("= ") == "7 passed, 1 skipped in 3.00s"


def test_counts_come_from_pytests_report(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite tests='99'>"
        "<testcase name='a'/><testcase name='b'><properties/></testcase>"
        "<testcase name='c'><failure/><failure/></testcase>"
        "<testcase name='d'><error/></testcase>"
        "<testcase name='e'><skipped/></testcase>"
        "</testsuite></testsuites>"
    )
    assert read_counts(report) == {"passed": 2, "failed": 2, "skipped": 1}


def test_pytest_that_died_without_a_report_counts_nothing(tmp_path):
    assert sum(read_counts(tmp_path / "missing.xml").values()) == 0


def test_all_suites_are_selected_and_a_missing_one_is_refused(tmp_path):
    for suite in SUITES:
        (tmp_path / suite.path).mkdir(parents=True)
    assert select(Settings(root=tmp_path)) == list(SUITES)
    (tmp_path / IN_ODOO.path).rmdir()
    with pytest.raises(Problem, match=f"{IN_ODOO.path} are missing"):
        select(Settings(root=tmp_path))


def test_part_of_a_suite_is_selected_by_path(tmp_path):
    (tmp_path / IN_ODOO.path).mkdir(parents=True)
    file = f"{IN_ODOO.path}/test_refund.py"
    (tmp_path / file).touch()
    settings = Settings(root=tmp_path, test_path=f"{file}::TestRefund::test_full")
    assert select(settings) == [IN_ODOO]


@pytest.mark.parametrize("path", ["docs", "dev/tests/test_nothing.py", "/etc"])
def test_path_without_tests_is_refused(tmp_path, path):
    (tmp_path / "docs").mkdir()
    with pytest.raises(Problem, match=f"T={path}"):
        select(Settings(root=tmp_path, test_path=path))
