"""docker-compose.yml: what it says is well formed, is there, and keeps every container on a short leash."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from scout.settings import Settings, in_file
from scout.stack import start
from tests.unit.deploying.compose import (
    DOCUMENT,
    FILE,
    OURS,
    PROFILES,
    ROOT,
    SERVICES,
    active,
    flags,
    mounts,
)

EVERY = pytest.mark.parametrize("name", sorted(SERVICES))
SETTINGS = {each.metadata["variable"]: each.metadata["secret"] for each in fields(Settings)}
#: Settings that are no business of a container, and why.
NOT_IN_CONTAINERS = {
    "SCOUT_DATA_DIR": "the image's",
    "SCOUT_HOST": "the image's",
    "SCOUT_PORT": "within its container every web server has port 5000",
    "SCOUT_STATSD_PORT": "only for what `scout up` starts",
    "SCOUT_EXPORTER_PORT": "only for what `scout up` starts",
    "SCOUT_PUSHGATEWAY_PORT": "only for what `scout up` starts",
}
#: Services without a health check, and why.
NO_HEALTH_CHECK = {
    "prepare": "it ends",
    "worker": "alerts watch it",
    "worker_replica": "alerts watch it",
    "scheduler": "alerts watch it",
    "alerts": "it prints",
    "loki": "its image holds nothing that could ask",
    "tempo": "its image holds nothing that could ask",
    "alloy": "its image holds nothing that could ask",
}


def test_it_follows_the_specification_of_compose() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def compose() -> list[str] | None:
    """The command of Compose, by either name; None where it is not here."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version"], capture_output=True, check=False)
            if asked.returncode == 0:
                return command
    return None


@pytest.mark.parametrize("profile", PROFILES)
def test_compose_itself_takes_it(profile: str) -> None:
    command = compose()
    if command is None:
        pytest.skip("docker compose is not here; it is not asked for in CI, where nothing runs containers")
    chosen = ["--profile", profile] if profile else []
    words = [*command, *chosen, "config", "--services"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert set(done.stdout.split()) == set(active(profile)), done.stderr


@EVERY
def test_every_mounted_path_is_in_the_repository(name: str) -> None:
    seen = [here for here, _ in mounts(SERVICES[name])]
    # Of this machine are seen the disks, by who measures them, and Docker, by who reads its logs.
    of_the_machine = {"node_exporter": ["/"], "alloy": ["/var/run/docker.sock"]}
    assert [here for here in seen if here.startswith("/")] == of_the_machine.get(name, [])
    own = [here for here in seen if not here.startswith("/")]
    assert [here for here in own if not (ROOT / here).exists()] == []
    # Nothing that is mounted from here can be written by a container.
    readonly = [each for each in SERVICES[name].get("volumes", ()) if each.startswith((".", "/"))]
    assert [each for each in readonly if not each.endswith(":ro")] == []


def test_grafana_opens_with_a_dashboard_that_is_there_and_asks_services_that_are_there() -> None:
    grafana = SERVICES["grafana"]
    seen = {there: ROOT / here for here, there in mounts(grafana)}
    home = Path(grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (seen[str(home.parent)] / home.name).is_file()
    provisioned = seen["/etc/grafana/provisioning"]
    for path in (provisioned / "dashboards").glob("*.yml"):
        for provider in yaml.safe_load(path.read_text(encoding="utf-8"))["providers"]:
            assert provider["options"]["path"] in seen
    for path in (provisioned / "datasources").glob("*.yml"):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]:
            asked = urlsplit(source["url"])
            assert set(grafana["networks"]) & set(SERVICES[str(asked.hostname)]["networks"])
            words = " ".join(SERVICES[str(asked.hostname)]["command"])
            # In its options, or in the file that they name.
            files = [ROOT / here for here, there in mounts(SERVICES[str(asked.hostname)]) if there in words]
            told = words + "".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
            assert re.search(rf":\s?{asked.port}\b", told)


@EVERY
def test_every_volume_network_and_secret_that_is_named_is_defined(name: str) -> None:
    service = SERVICES[name]
    named = {each.split(":")[0] for each in service.get("volumes", ())}
    assert {each for each in named if not each.startswith((".", "/"))} <= set(DOCUMENT["volumes"])
    assert set(service.get("networks", ())) <= set(DOCUMENT["networks"])
    assert set(service.get("secrets", ())) <= set(DOCUMENT["secrets"])
    # Whoever has no network of its own is put into a common one, beside everybody.
    assert ("networks" in service) != ("network_mode" in service)


@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_service_waits_for_runs_with_the_same_profile(profile: str) -> None:
    running = active(profile)
    waited = {(name, other) for name, each in running.items() for other in each.get("depends_on", ())}
    assert {pair for pair in waited if pair[1] not in running} == set()
    # Whoever waits for health waits for one that tells of it.
    healthy = {
        other
        for each in running.values()
        for other, how in each.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert healthy & set(NO_HEALTH_CHECK) == set()


def test_the_application_alone_brings_what_it_stands_on() -> None:
    needed, waiting = set(), ["web", "worker", "scheduler"]
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting += [other for other in SERVICES[name].get("depends_on", ()) if other not in needed]
    assert needed == {
        "web", "worker", "scheduler", "prepare", "postgres", "redis", "statsd_exporter", "pushgateway",
    }  # fmt: skip


@EVERY
def test_every_image_has_a_version(name: str) -> None:
    assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", SERVICES[name]["image"]), SERVICES[name]["image"]


@EVERY
def test_every_container_is_kept_on_a_short_leash(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert set(service.get("cap_add", ())) == ({"NET_BIND_SERVICE"} if name == "proxy" else set())
    assert "privileged" not in service
    assert service["restart"] in {"unless-stopped", "on-failure:3"}
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    # A machine may have one processor, and Docker then refuses more.
    assert float(limits["cpus"]) <= 1
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


@EVERY
def test_every_service_tells_its_health_or_there_is_a_reason_why_not(name: str) -> None:
    check = SERVICES[name].get("healthcheck", {"disable": True})
    asks = "test" in check or (name in {"web", "web_replica"} and not check.get("disable"))
    assert asks != (name in NO_HEALTH_CHECK)


@EVERY
def test_ports_are_open_to_this_machine_alone(name: str) -> None:
    assert [each for each in SERVICES[name].get("ports", ()) if not each.startswith("127.0.0.1:")] == []


def test_who_reads_boards_and_who_keeps_figures_have_no_common_network_but_through_us() -> None:
    networks = DOCUMENT["networks"]
    assert [name for name, each in networks.items() if each.get("internal")] == ["data", "metrics"]
    members = {
        network: {name for name, each in SERVICES.items() if network in each.get("networks", ())}
        for network in networks
    }
    assert members["outside"] == {"web", "web_replica", "worker", "worker_replica", "proxy"}
    assert members["watching"] == {"prometheus", "alertmanager", "grafana"}
    assert members["outside"] & members["watching"] == set()
    assert members["data"] == set(OURS) - {"alerts"} | {
        "postgres", "redis", "postgres_exporter", "redis_exporter",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(OURS) - {"alerts"}))
def test_our_variables_are_settings_and_every_setting_arrives(name: str) -> None:
    said = set(SERVICES[name]["environment"]) - {"TMPDIR", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}
    secret = {in_file(variable) for variable, is_secret in SETTINGS.items() if is_secret}
    plain = {variable for variable, is_secret in SETTINGS.items() if not is_secret}
    assert said == secret | plain - set(NOT_IN_CONTAINERS)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_secret_that_a_service_reads_is_handed_to_it(name: str) -> None:
    service = SERVICES[name]
    read = {
        Path(value).name
        for value in service.get("environment", {}).values()
        if str(value).startswith("/run/secrets/")
    }
    assert read == set(service.get("secrets", ()))


def test_secrets_for_trying_out_are_there_and_nobody_elses_password_is_among_them() -> None:
    for secret in DOCUMENT["secrets"].values():
        assert (ROOT / secret["file"]).is_file()
    there = {path.name for path in (ROOT / "deploy" / "secrets.example").iterdir()}
    assert there == set(DOCUMENT["secrets"])


@pytest.mark.parametrize(("service", "line"), [("statsd_exporter", "exporter"), ("pushgateway", "gateway")])
def test_containers_have_the_options_of_the_procfile(service: str, line: str) -> None:
    assert flags(SERVICES[service]["command"]) == flags(start.procfile()[line].split())


def test_what_prometheus_scrapes_in_containers_is_a_service_and_its_port() -> None:
    config = yaml.safe_load((ROOT / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {each["job_name"] for each in config["scrape_configs"]}
    files = sorted((ROOT / "prometheus" / "targets.compose").glob("*.yml"))
    assert {path.stem for path in files} == jobs
    for path in files:
        for group in yaml.safe_load(path.read_text(encoding="utf-8")):
            for target in group["targets"]:
                name, _, port = target.partition(":")
                name = "prometheus" if name == "127.0.0.1" else name
                assert f"--web.listen-address=:{port}" in SERVICES[name]["command"]
                assert "metrics" in SERVICES[name]["networks"]
