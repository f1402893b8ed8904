"""The command line as an operator types it: what it prints, and how it refuses."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]


def typed(*words: str | Path, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "MQTT_URL")}
    return subprocess.run(
        [sys.executable, ROOT / "taizhang.py", *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=kept | environment,
        cwd=ROOT,
    )


def refused(answer: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended with 1 and a sentence that has these words, and no traceback."""
    assert answer.returncode == 1, answer
    assert "Traceback" not in answer.stderr
    for word in words:
        assert word in answer.stderr


def test_rules_check_passes_on_what_ships() -> None:
    answer = typed("rules", "check")
    assert answer.returncode == 0, answer.stderr
    assert "packs" in answer.stdout


def test_rules_check_names_file_line_and_reason(tmp_path: Path) -> None:
    pack = (ROOT / "rules/packs/elevator.yaml").read_text(encoding="utf-8").replace("on_delay:", "on_dely:", 1)
    (tmp_path / "elevator.yaml").write_text(pack, encoding="utf-8")
    line = next(number for number, text in enumerate(pack.splitlines(), start=1) if "on_dely" in text)
    refused(typed("rules", "check", tmp_path), f"elevator.yaml:{line}", "on_dely", "on_delay")


def test_an_estate_goes_in_and_comes_out_and_its_rules_are_explained(tmp_path: Path, database_url: str) -> None:
    shown = typed("import", "estates/demo.yaml", "--dry-run", "--language", "en", DATABASE_URL=database_url)
    assert "(dry run, nothing written)" in shown.stdout, shown.stderr
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from site").fetchone() == (0,)
    answer = typed("import", "estates/demo.yaml", DATABASE_URL=database_url)
    assert answer.returncode == 0, answer.stderr
    assert "接入服务" not in answer.stderr, "both sites ring when their monitoring stops"
    written = typed("export", "binjiang", "--format", "xlsx", "-o", tmp_path / "out.xlsx", DATABASE_URL=database_url)
    assert written.returncode == 0, written.stderr
    assert typed("import", tmp_path / "out.xlsx", DATABASE_URL=database_url).stdout.strip() == "没有差异"
    explained = typed("rules", "explain", "jinxiu/booster_low", DATABASE_URL=database_url)
    assert explained.returncode == 0, explained.stderr
    assert "outlet_pressure" in explained.stdout
    assert "生活" in explained.stdout or "泵" in explained.stdout
    english = typed("rules", "explain", "jinxiu/booster_low", "--language", "en", DATABASE_URL=database_url)
    assert "Outlet pressure low" in english.stdout
    refused(typed("rules", "explain", "jinxiu/nothing", DATABASE_URL=database_url), "jinxiu/nothing")


def test_the_demos_estate_goes_in_once(database_url: str) -> None:
    """As Compose's profile `demo` brings it in, at every start."""
    services: list[int] = []
    for _ in range(2):
        answer = typed("demo-estate", DATABASE_URL=database_url)
        assert answer.returncode == 0, answer.stderr
        with psycopg.connect(database_url) as connection:
            services += [number for (number,) in connection.execute("select count(*) from asset_service")]
    assert services[0] == services[1] > 40
    refused(typed("demo-estate"), "DATABASE_URL")


def test_a_type_is_explained_and_a_template_is_made(tmp_path: Path) -> None:
    assert "first after 5 years" in typed("types", "extinguisher_co2", "--language", "en").stdout
    made = typed("template", "-o", tmp_path / "estate.xlsx", "--types", "booster_set_3_pumps,smoke_detector")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "estate.xlsx").stat().st_size > 1000


def test_an_estate_with_faults_is_refused_whole(tmp_path: Path, database_url: str) -> None:
    text = (ROOT / "estates/demo.yaml").read_text(encoding="utf-8").replace("kind: elevator", "kind: elevatr")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    refused(typed("import", tmp_path / "mine.yaml", DATABASE_URL=database_url), "mine.yaml", "elevatr", "没有设施种类")
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from site").fetchone() == (0,)


def test_check_holds_on_a_sound_ledger_and_exits_1_on_a_broken_one(database_url: str) -> None:
    assert typed("import", "estates/demo.yaml", DATABASE_URL=database_url).returncode == 0
    sound = typed("check", DATABASE_URL=database_url)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    with psycopg.connect(database_url) as connection:
        connection.execute("update facility set chain_length = chain_length + 1 where key = 'booster_low'")
    broken = typed("check", DATABASE_URL=database_url)
    assert broken.returncode == 1
    assert "booster_low" in broken.stdout or "dossier" in broken.stdout


def test_migrating_twice_says_so(database_url: str) -> None:
    answer = typed("migrate", DATABASE_URL=database_url)
    assert answer.returncode == 0, answer.stderr
    assert "current" in answer.stdout


@pytest.mark.parametrize("command", ["ingest", "api", "check", "migrate"])
def test_a_missing_database_url_is_a_sentence(command: str) -> None:
    refused(typed(command), "DATABASE_URL")


def test_the_api_does_not_start_with_a_token_that_can_be_guessed(database_url: str) -> None:
    refused(typed("api", DATABASE_URL=database_url, TAIZHANG_API_TOKEN="12345"), "TAIZHANG_API_TOKEN")


def test_the_first_administrator_s_password_comes_from_standard_input(database_url: str) -> None:
    command = ("admin", "create", "--login", "chen", "--name", "陈工")
    refused(typed(*command, stdin="short\n", DATABASE_URL=database_url), "at least 10 characters")
    answer = typed(*command, stdin="a long enough one\n", DATABASE_URL=database_url)
    assert answer.returncode == 0, answer.stderr
    with psycopg.connect(database_url) as connection:
        cursor = connection.execute(
            "select login, role::text, site_id from person join membership on person_id = person.id"
        )
        assert cursor.fetchall() == [("chen", "administrator", None)]


def test_wrong_settings_are_named_all_at_once() -> None:
    answer = typed(
        "check", TAIZHANG_LINGER_MS="-1", TAIZHANG_TICK_MS="soon", TAIZHANG_CLOCK_ORIGIN="2026-01-01T00:00:00"
    )
    refused(answer, "TAIZHANG_LINGER_MS", "TAIZHANG_TICK_MS", "TAIZHANG_CLOCK_ORIGIN", "zone")


def test_a_setting_that_is_no_json_is_a_sentence() -> None:
    refused(typed("check", TAIZHANG_READINGS_DAYS='{"measure": 90'), "TAIZHANG_READINGS_DAYS", "JSON")


def test_simulating_at_speed_lives_its_minutes_in_seconds(tmp_path: Path, mqtt_url: str) -> None:
    truth = tmp_path / "truth.json"
    answer = typed("simulate", "--speed", "60", "--duration-s", "120", "--truth", truth, MQTT_URL=mqtt_url)
    assert answer.returncode == 0, answer.stderr
    written = json.loads(truth.read_text(encoding="utf-8"))
    lived = datetime.fromisoformat(written["ended_at"]) - datetime.fromisoformat(written["started_at"])
    assert (written["speed"], lived.total_seconds()) == (60, 120)
    assert written["traffic"]["publishes_acknowledged"] > 0


def test_simulating_against_nothing_is_a_sentence() -> None:
    refused(typed("simulate", "--duration-s", "10", MQTT_URL="mqtt://127.0.0.1:1"), "127.0.0.1:1")


def test_no_command_waits_for_what_another_one_needs() -> None:
    """Every process of the service is a command: what it does not run, it does not import."""
    heavy = "{'fastapi', 'openpyxl', 'paho', 'simulators.run', 'api.app', 'estate.importing'}"
    asked = subprocess.run(
        [sys.executable, "-c", f"import sys, taizhang; print(sorted({heavy} & set(sys.modules)))"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert asked.stdout.strip() == "[]"
