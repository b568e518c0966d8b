"""Detectors in Python files of somebody's own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from own_rules import PYTHON, rule_file

from guardray.custom.python_files import read_python
from guardray.errors import UsageError
from guardray.testing import check_example


def test_a_file_offers_its_detectors(tmp_path):
    module, (detector,) = read_python(rule_file(tmp_path, PYTHON, "mine.py"))
    assert module.__doc__.startswith("Policy:IAMUser/UserDeleted")
    assert detector.finding_type == "Policy:IAMUser/UserDeleted"
    for example in detector.examples:
        check_example(detector, example)


def test_a_file_may_offer_several(tmp_path):
    text = (
        PYTHON + '\nfrom dataclasses import replace\nDETECTORS = (DETECTOR, replace(DETECTOR, finding_type="A:B/C"))\n'
    )
    _, detectors = read_python(rule_file(tmp_path, text, "mine.py"))
    assert [detector.finding_type for detector in detectors] == ["Policy:IAMUser/UserDeleted", "A:B/C"]


def test_what_a_file_imports_is_not_offered_by_it(tmp_path):
    text = "from guardray.detectors.ec2.denial_of_service import DETECTORS\n" + PYTHON
    _, (detector,) = read_python(rule_file(tmp_path, text, "mine.py"))
    assert detector.finding_type == "Policy:IAMUser/UserDeleted"


def test_a_file_disturbs_no_module_of_the_same_name(tmp_path):
    before = sys.modules.get("json")
    read_python(rule_file(tmp_path, PYTHON, "json.py"))
    assert sys.modules.get("json") is before


WRONG = {
    "broken Python": ("def f(:\n", "line 1: not Python: "),
    "an error when it is loaded": ("x = 1\nx / 0\n", "line 2: fails when it is loaded: ZeroDivisionError: division by"),
    "an import that is not there": ("import no_such_thing\n", "line 1: fails when it is loaded: ModuleNotFoundError"),
    "an exit": ("raise SystemExit(3)\n", "line 1: fails when it is loaded: SystemExit: 3"),
    "no detector": ("x = 1\n", "offers no DETECTOR"),
    "something else as a detector": ("DETECTOR = 3\n", "offers a int as a detector"),
    "something else as detectors": ("DETECTORS = {3}\n", "DETECTORS is of type set"),
    "a wrong type": (
        PYTHON.replace("Policy:IAMUser/UserDeleted", "UserDeleted"),
        "'UserDeleted' is not a finding type",
    ),
    "no quiet example": (PYTHON.replace("quiet(", "fires("), "must have an example that fires and one that is quiet"),
    "no text": ("\0", "line "),
}


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(tmp_path, text, reason):
    with pytest.raises(UsageError) as error:
        read_python(rule_file(tmp_path, text, "mine.py"))
    assert str(error.value).startswith(str(tmp_path / "mine.py"))
    assert reason in str(error.value)


def test_a_detector_reaches_processes_that_do_not_have_the_file(tmp_path):
    """As Ray sends it: by value, with its functions and the constants that they use."""
    from ray import cloudpickle

    _, (detector,) = read_python(rule_file(tmp_path, PYTHON, "mine.py"))
    sent = tmp_path / "detector.pickle"
    sent.write_bytes(cloudpickle.dumps(detector))
    (tmp_path / "mine.py").unlink()
    program = (
        "import pickle, sys; from guardray.testing import run_example\n"
        "detector = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print([finding.title for finding in run_example(detector, detector.examples[0])])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(sent)], capture_output=True, text=True)
    assert done.stdout.strip() == "['A user was deleted.']", done.stderr
