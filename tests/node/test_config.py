"""Settings: precedence, origin, bounds, and what a project's folder can't do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite.config import load_config
from skilllite.errors import FAILED, USAGE, ConfigInvalid, UsageError, exit_code_of
from skilllite.home import Home
from skilllite.settings import BY_KEY, SETTINGS, Unfit, env_example

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.prepare()
    return home


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    return project


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def test_flag_beats_environment_beats_dotenv_beats_file_beats_default(
    home: Home, project: Path
) -> None:
    write(home.config_file, "[tasks]\nqueue = 2\n")
    write(project / ".env", "SKILLLITE_TASKS_QUEUE=3\n")
    environ = {"SKILLLITE_TASKS_QUEUE": "4"}

    layers = [
        load_config(home, flags={"tasks.queue": 5}, environ=environ, project=project),
        load_config(home, flags={"tasks.queue": None}, environ=environ, project=project),
        load_config(home, environ={}, project=project),
        load_config(home, environ={}),
        load_config(Home.at(project), environ={}),
    ]

    assert [layer.integer("tasks.queue") for layer in layers] == [5, 4, 3, 2, 64]
    assert [layer.origin("tasks.queue") for layer in layers] == [
        "the flag for tasks.queue",
        "environment variable SKILLLITE_TASKS_QUEUE",
        f"{project}/.env line 1",
        str(home.config_file),
        "the default",
    ]
    assert layers[-1].is_default("tasks.queue")


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.trusted_only], ids=lambda s: s.key)
def test_project_folder_cannot_set_what_keeps_the_machine_safe(
    home: Home, project: Path, setting: object
) -> None:
    row = BY_KEY[getattr(setting, "key")]  # noqa: B009
    write(project / ".env", f"{row.variable}=1\n")

    config = load_config(home, environ={}, project=project)

    assert config.is_default(row.key)
    assert config.notes == (
        f"{project}/.env line 1: {row.variable} is ignored, a folder may not set it",
    )


def test_sandbox_level_and_peers_are_among_them() -> None:
    assert BY_KEY["sandbox.level"].trusted_only
    assert BY_KEY["node.peers"].trusted_only


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tasks]\nqueue = 'many'\n", "tasks.queue must be a whole number, not 'many'"),
        ("[tasks]\nqueue = 0\n", "tasks.queue must be at least 1, not 0"),
        ("[tasks]\nqueue = true\n", "must be a whole number, not True"),
        ("[node]\nport = 70000\n", "node.port must be at most 65535"),
        ("[node]\npeers = [1]\n", "node.peers must be a list of texts"),
        ("[node]\ndiscovery = 'yes'\n", "node.discovery must be true or false"),
        ("[log]\nlevel = 'loud'\n", "log.level must be one of"),
        ("[tasks]\ndeadline_s = nan\n", "tasks.deadline_s must be at least"),
        ("[sandbox]\nlevl = 3\n", "sets `sandbox.levl`, which is not a setting"),
        ("queue = [[[", "is not valid TOML"),
    ],
)
def test_wrong_config_file_refuses_to_start(home: Home, text: str, says: str) -> None:
    write(home.config_file, text)

    with pytest.raises(ConfigInvalid) as caught:
        load_config(home, environ={})

    assert says in caught.value.message
    assert caught.value.hint
    assert exit_code_of(caught.value) == FAILED
    assert home.config_file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(("text", "says"), [("9", "at most 3, not 9"), ("x", "a whole number")])
def test_number_in_the_environment_is_judged_by_its_bounds(
    home: Home, text: str, says: str
) -> None:
    with pytest.raises(ConfigInvalid, match=says) as caught:
        load_config(home, environ={"SKILLLITE_SANDBOX_LEVEL": text})

    assert "SKILLLITE_SANDBOX_LEVEL" in (caught.value.cause or "")


def test_damaged_toml_names_the_line(home: Home) -> None:
    write(home.config_file, "[tasks]\nqueue = = 3\n")

    with pytest.raises(ConfigInvalid) as caught:
        load_config(home, environ={})

    assert "line 2" in (caught.value.cause or "")


def test_binary_and_huge_config_files_are_refused(home: Home) -> None:
    home.config_file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigInvalid, match="not UTF-8"):
        load_config(home, environ={})

    home.config_file.write_bytes(b"#" * 100_000)
    with pytest.raises(ConfigInvalid, match="larger than"):
        load_config(home, environ={})


def test_misspelt_key_is_answered_with_the_right_one(home: Home) -> None:
    write(home.config_file, "[tasks]\nqueu = 3\n")

    with pytest.raises(ConfigInvalid) as caught:
        load_config(home, environ={})

    assert caught.value.hint == "did you mean `tasks.queue`?"


def test_wrong_environment_names_the_variable(home: Home) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        load_config(home, environ={"SKILLLITE_NODE_PORT": "http"})

    assert caught.value.cause == "set by environment variable SKILLLITE_NODE_PORT"


def test_wrong_flag_is_a_usage_error(home: Home) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(home, flags={"node.port": 70_000}, environ={})

    assert exit_code_of(caught.value) == USAGE


def test_dotenv_skips_comments_quotes_and_other_programs(home: Home, project: Path) -> None:
    write(
        project / ".env",
        "# SKILLLITE_TASKS_QUEUE=9\nOPENAI_API_KEY=x\nnonsense\n"
        "export SKILLLITE_LOG_LEVEL='debug'\nSKILLLITE_TASKS_QUEUE=7 # seven\n",
    )

    config = load_config(home, environ={}, project=project)

    assert config.text("log.level") == "debug"
    assert config.integer("tasks.queue") == 7


def test_every_kind_of_setting_can_come_from_the_environment(home: Home) -> None:
    config = load_config(
        home,
        environ={
            "SKILLLITE_NODE_PEERS": "a:1, b:2  c:3",
            "SKILLLITE_NODE_DISCOVERY": "off",
            "SKILLLITE_TASKS_DEADLINE_S": "2.5",
            "SKILLLITE_NODE_NAME": " kitchen ",
        },
    )

    assert config.texts("node.peers") == ("a:1", "b:2", "c:3")
    assert config.flag("node.discovery") is False
    assert config.number("tasks.deadline_s") == 2.5
    assert config.text("node.name") == "kitchen"


def test_a_setting_of_the_file_alone_ignores_environment_and_dotenv(
    home: Home, project: Path
) -> None:
    variable = "SKILLLITE_SANDBOX_ACCEPT_TIER"
    write(project / ".env", f"{variable}=landlock\n")

    ignored = load_config(home, environ={variable: "landlock"}, project=project)
    flag = load_config(home, flags={"sandbox.accept_tier": "landlock"}, environ={})

    assert ignored.text("sandbox.accept_tier") == "root-chroot"
    assert sum(variable in note for note in ignored.notes) == 2
    assert flag.text("sandbox.accept_tier") == "landlock"


def test_the_file_of_the_home_sets_what_the_environment_may_not(home: Home) -> None:
    write(Path(home.config_name), '[sandbox]\naccept_tier = "landlock"\n')

    config = load_config(home, environ={"SKILLLITE_SANDBOX_ACCEPT_TIER": "full"})

    assert config.text("sandbox.accept_tier") == "landlock"
    assert config.origin("sandbox.accept_tier") == home.config_name


@given(st.sampled_from(SETTINGS), st.text(max_size=40))
def test_any_text_is_a_value_within_bounds_or_one_clear_error(row: object, text: str) -> None:
    setting = BY_KEY[getattr(row, "key")]  # noqa: B009

    try:
        value = setting.parse(text)
    except Unfit as error:
        assert str(error)
    else:
        assert setting.check(value) == value


def test_committed_reference_is_the_generated_one() -> None:
    committed = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert committed == env_example(), "run: python -m skilllite.settings > .env.example"


def test_defaults_obey_their_own_rules() -> None:
    for setting in SETTINGS:
        assert setting.check(setting.default) == setting.default
        assert setting.doc
