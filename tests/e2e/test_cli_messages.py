"""What the command line says when something is wrong: one sentence, an exit code, never a traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from backend.cli.study_file import parse_study
from backend.cli.train import demo_text
from backend.shared.errors import InvalidInput
from backend.shared.specs import StudySpec

DROPSCOPE = str(Path(sys.executable).parent / "dropscope")
SOUND = (
    "name: x\nmodel: minilm-l6\ndataset: rotten-tomatoes\ntrain_rows: 32\nvalidation_rows: 32\narms: [{method: none}]\n"
)


def dropscope(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a home folder of its own."""
    environment = {**os.environ, "DROPSCOPE_HOME": str(home), **settings}
    return subprocess.run([DROPSCOPE, *arguments], env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is not YAML, line 1, column 5"),
        ("- a\n- b", "holds no study"),
        ("", "holds no study"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
        ("a: " + "[" * 3000, "nested too deeply"),
        ("x" * ((1 << 20) + 1), "larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_study_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse_study(text, "study.yaml")


def test_demo_study_is_sound() -> None:
    spec = StudySpec.model_validate(parse_study(demo_text(), "demo"))
    assert (len(spec.arms), spec.seeds, spec.baseline) == (8, 5, "none")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "missing.yaml"], 2, "missing.yaml cannot be read: No such file or directory."),
        (["run"], 2, "Missing argument"),
        (["frobnicate"], 2, "No such command"),
        (["demo", "--port", "70000"], 2, "--port"),
        (["data", "add", "missing.csv"], 2, "missing.csv"),
        (["model", "add", "missing"], 2, "missing"),
        (["worker"], 1, "dropscope up"),
    ],
)
def test_wrong_use_is_a_sentence(tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    answer = dropscope(tmp_path / "home", *arguments)
    assert answer.returncode == code, answer.stderr
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"DROPSCOPE_PORT": "many"}, "DROPSCOPE_PORT"),
        ({"DROPSCOPE_DATABASE_URL": "mysql://x/y"}, "not supported"),
        ({"DROPSCOPE_HOME": "/proc/nowhere"}, "set DROPSCOPE_HOME"),
        ({"DROPSCOPE_HOME": "/dev/null"}, "set DROPSCOPE_HOME"),
    ],
)
def test_environment_that_cannot_work_is_exit_code_1(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    answer = dropscope(tmp_path, "up", "--no-browser", "--workers", "0", **{"DROPSCOPE_PORT": "0", **settings})
    assert answer.returncode == 1, answer.stderr
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.slow
def test_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = dropscope(tmp_path, "up", "--no-browser", "--port", str(port))
    assert answer.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use" in answer.stderr
    assert not (tmp_path / "dropscope.db").exists()


@pytest.mark.slow
def test_damaged_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "dropscope.db").write_bytes(b"this is not a database, " * 400)
    answer = dropscope(tmp_path, "up", "--no-browser", "--port", "0", "--workers", "0")
    assert answer.returncode == 1
    assert "dropscope.db" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.slow
def test_doctor_names_what_is_missing(tmp_path: Path) -> None:
    well = dropscope(tmp_path, "doctor")
    assert well.returncode == 0, well.stdout
    assert "minilm-l6" in well.stdout
    full = dropscope(tmp_path, "doctor", DROPSCOPE_DISK_FLOOR_BYTES=str(1 << 60))
    assert full.returncode == 1
    assert "DROPSCOPE_DISK_FLOOR_BYTES" in full.stdout


@pytest.mark.slow
def test_data_and_models_are_added_without_a_server(tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text("text,label\n" + "".join(f"a film number {i},{'good' if i % 2 else 'bad'}\n" for i in range(60)))
    home = tmp_path / "home"
    added = dropscope(home, "data", "add", str(file), "--text", "text", "--label", "label")
    assert added.returncode == 0, added.stderr
    assert "Added reviews" in added.stdout
    again = dropscope(home, "data", "add", str(file), "--text", "text", "--label", "label", "--name", "reviews")
    assert again.returncode == 1
    assert "taken" in again.stderr
    wrong = dropscope(home, "data", "add", str(file), "--text", "body", "--label", "label")
    assert wrong.returncode == 2
    assert "body" in wrong.stderr
    assert "reviews" in dropscope(home, "doctor").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"model": "nothing"}, "model"),
        ({"dataset": "nothing"}, "dataset"),
        ({"train_rows": "10000000"}, "train_rows"),
        ({"seeds": "65"}, "seeds"),
        ({"colour": "red"}, "colour"),
        ({"arms": "[{method: none}, {method: dropkey, rate: 1.0}]"}, "arms"),
    ],
)
def test_study_that_cannot_be_is_refused_with_the_field(tmp_path: Path, change: dict[str, str], pointer: str) -> None:
    """Through the whole embedded stack, without workers."""
    study = tmp_path / "study.yaml"
    lines = dict(line.split(": ", 1) for line in SOUND.strip().splitlines())
    study.write_text("".join(f"{key}: {value}\n" for key, value in {**lines, **change}.items()))
    answer = dropscope(tmp_path / "home", "run", str(study), "--workers", "0")
    assert answer.returncode == 2, answer.stderr
    assert pointer in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""
