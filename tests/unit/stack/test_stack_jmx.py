from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fraudwatch.adapters.lake import spark_stream
from fraudwatch.settings import DetectorSettings
from fraudwatch.stack import catalogue
from fraudwatch.stack.home import ROOT

AGENT = "-javaagent:{jars.jmx_agent}="
ALLOW_LISTS = sorted((ROOT / "monitoring/jmx").glob("*.yml"))


@pytest.mark.parametrize("path", ALLOW_LISTS, ids=lambda path: path.stem)
def test_an_allow_list_names_its_objects_and_reads_no_other(path: Path) -> None:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    # Without this list the agent would read every object of the JVM.
    assert found["includeObjectNames"]
    assert not {"*:*", ""} & set(found["includeObjectNames"])
    assert all(rule["name"] and rule["pattern"] for rule in found["rules"])


def test_every_engine_in_java_has_the_agent_on_its_own_loopback_port() -> None:
    services = catalogue.load().services.values()
    engines = [s for s in services if s.command.startswith("{java}")]
    assert len(engines) == 6
    for engine in engines:
        (argument,) = (word for word in engine.command.split() if word.startswith(AGENT))
        address, _, allowed = argument.removeprefix(AGENT).partition("}:{root}/")
        assert address == f"127.0.0.1:{{port.{engine.name}.metrics"
        assert ROOT / allowed in ALLOW_LISTS


def detector(**more: object) -> DetectorSettings:
    folder = Path("var")
    return DetectorSettings.model_validate(
        dict.fromkeys(
            (
                "state_folder",
                "models_folder",
                "views_folder",
                "states_folder",
                "dead_letter_key_path",
            ),
            folder,
        )
        | {"connector_jars": "", "extra_class_path": "", **more}
    )


def test_the_detectors_jvm_gets_the_agent_only_where_its_jar_is(tmp_path: Path) -> None:
    option = "spark.driver.extraJavaOptions"
    jar = tmp_path / "an agent.jar"
    given = detector(jmx_agent=jar, jmx_arguments="127.0.0.1:9116:allowed.yml")
    assert "-javaagent" not in spark_stream._spark_conf(detector())[option]
    assert "-javaagent" not in spark_stream._spark_conf(given)[option]
    jar.touch()
    assert spark_stream._spark_conf(given)[option].endswith(
        f' "-javaagent:{jar}=127.0.0.1:9116:allowed.yml"'
    )
