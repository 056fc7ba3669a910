"""The manifests: they are what Kubernetes takes, fit together, and say what docker-compose.yml says."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import kubernetes_validate
import pytest
import yaml

from scout.settings import Settings, in_file
from scout.stack import start
from tests.unit.deploying.compose import DOCUMENT, ROOT, SERVICES
from tests.unit.deploying.kubernetes import FOLDER, OVERLAYS, containers, documents, named, workloads

BOTH = pytest.mark.parametrize("overlay", OVERLAYS)
#: Of the Prometheus Operator: its schemas are not among those of Kubernetes.
OPERATOR = "monitoring.coreos.com/"
EXAMPLE = yaml.safe_load((FOLDER / "secret.example.yaml").read_text(encoding="utf-8"))
OURS = ("web", "worker", "scheduler")


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Whether a selector takes these labels ("Labels and Selectors" of Kubernetes' documentation)."""
    equal = selector.get("matchLabels", {} if "matchExpressions" in selector else selector)
    within = selector.get("matchExpressions", ())
    assert all(each["operator"] == "In" for each in within)
    return all(labels.get(key) == value for key, value in equal.items()) and all(
        labels.get(each["key"]) in each["values"] for each in within
    )


@BOTH
@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_kubernetes_takes_every_object(overlay: str, version: str) -> None:
    for each in documents(overlay):
        if not each["apiVersion"].startswith(OPERATOR):
            kubernetes_validate.validate(each, version, strict=True)


def test_the_example_of_the_secret_is_one_with_the_files_that_compose_has() -> None:
    kubernetes_validate.validate(EXAMPLE, "1.37", strict=True)
    of_compose = set(DOCUMENT["secrets"]) - {"grafana_password"}
    assert set(EXAMPLE["stringData"]) == of_compose | {"channels.conf"}


@BOTH
def test_selectors_and_ports_agree(overlay: str) -> None:
    pods = {name: each["spec"]["template"]["metadata"]["labels"] for name, each in workloads(overlay).items()}
    for name, each in workloads(overlay).items():
        assert selects(each["spec"]["selector"], pods[name])
    for name, service in named(overlay, "Service").items():
        behind = [pod for pod, labels in pods.items() if selects(service["spec"]["selector"], labels)]
        assert behind == [name]
        open_there = {
            port["name"]: port["containerPort"]
            for container in containers(workloads(overlay)[name]).values()
            for port in container.get("ports", ())
        }
        for port in service["spec"]["ports"]:
            assert open_there[port["targetPort"]] == port["port"]
    for budget in named(overlay, "PodDisruptionBudget").values():
        assert any(selects(budget["spec"]["selector"], labels) for labels in pods.values())
    for name, ingress in named(overlay, "Ingress").items():
        assert name in named(overlay, "Service"), ingress


@BOTH
def test_every_pod_runs_as_nobody_and_writes_only_where_a_volume_is(overlay: str) -> None:
    for workload in workloads(overlay).values():
        pod = workload["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        # A service called `scout` would put SCOUT_PORT=tcp://... into every pod.
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(workload).values():
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]
            assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", container["image"])


@BOTH
def test_every_volume_and_object_that_a_pod_names_is_there(overlay: str) -> None:
    for workload in workloads(overlay).values():
        pod = workload["spec"]["template"]["spec"]
        claimed = workload["spec"].get("volumeClaimTemplates", ())
        volumes = {
            each["name"]: each
            for each in (*pod.get("volumes", ()), *({"name": c["metadata"]["name"]} for c in claimed))
        }
        for container in containers(workload).values():
            assert {mount["name"] for mount in container.get("volumeMounts", ())} <= set(volumes)
        maps = {each["metadata"]["name"] for each in documents(overlay) if each["kind"] == "ConfigMap"}
        read = [
            each["configMapRef"]["name"]
            for c in containers(workload).values()
            for each in c.get("envFrom", ())
        ]
        read += [each["configMap"]["name"] for each in volumes.values() if "configMap" in each]
        assert set(read) <= maps
        for each in volumes.values():
            if "secret" in each:
                assert each["secret"]["secretName"] == EXAMPLE["metadata"]["name"]
                assert each["secret"]["defaultMode"] == 0o440
            if "persistentVolumeClaim" in each:
                assert each["persistentVolumeClaim"]["claimName"] in named(overlay, "PersistentVolumeClaim")


@BOTH
def test_settings_are_ours_and_every_secret_is_read_from_its_file(overlay: str) -> None:
    said = named(overlay, "ConfigMap")["scout-settings"]["data"]
    secret = {in_file(each.metadata["variable"]) for each in fields(Settings) if each.metadata["secret"]}
    plain = {each.metadata["variable"] for each in fields(Settings) if not each.metadata["secret"]}
    assert set(said) <= secret | plain | {"TMPDIR"}
    assert secret <= set(said)
    folder = "/run/secrets/scout/"
    files = {value.removeprefix(folder) for value in said.values() if value.startswith(folder)}
    assert files == set(EXAMPLE["stringData"]) - {"postgres_password"}


@BOTH
@pytest.mark.parametrize("name", OURS)
def test_each_of_our_pods_has_its_exporter_beside_it_from_first_to_last(overlay: str, name: str) -> None:
    pod = workloads(overlay)[name]["spec"]["template"]["spec"]
    first = pod["initContainers"][0]
    assert (first["name"], first["restartPolicy"]) == ("statsd-exporter", "Always")
    said = named(overlay, "ConfigMap")
    assert (
        f"--statsd.listen-udp={said['scout-settings']['data']['STATSD_URL'].removeprefix('udp://')}"
        in first["args"]
    )
    mapping = f"{first['volumeMounts'][0]['mountPath']}/{next(iter(said['statsd-mapping']['data']))}"
    assert f"--statsd.mapping-config={mapping}" in first["args"]


@BOTH
def test_programs_have_the_images_and_options_that_compose_gives_them(overlay: str) -> None:
    def without_places(words: list[str]) -> list[str]:
        return [word.partition("=")[0] if word.startswith("--") else word for word in words]

    found = {name: containers(each) for name, each in workloads(overlay).items()}
    pairs = [(found[name]["statsd-exporter"], "statsd_exporter") for name in OURS]
    pairs.append((found["pushgateway"]["pushgateway"], "pushgateway"))
    if overlay == "small":
        pairs.append((found["redis"]["redis"], "redis"))
        assert found["postgres"]["postgres"]["image"] == SERVICES["postgres"]["image"]
    for container, service in pairs:
        assert container["image"] == SERVICES[service]["image"]
        assert without_places(container["args"]) == without_places(SERVICES[service]["command"])
    for name in OURS:
        assert found[name][name]["command"] == SERVICES[name]["command"]
        assert found[name][name]["image"] == SERVICES[name]["image"]
        assert found[name]["prepare"]["command"] == SERVICES["prepare"]["command"]
        # And the Procfile's, which names its Python by a variable.
        line = start.procfile()["workers" if name == "worker" else name]
        assert " ".join(found[name][name]["command"][-2:]).replace('"', "") in line.replace("'", "")


@BOTH
def test_there_is_one_scheduler_and_one_gateway_and_the_old_one_ends_first(overlay: str) -> None:
    for name in ("scheduler", "pushgateway"):
        spec = workloads(overlay)[name]["spec"]
        assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


@BOTH
def test_only_what_is_named_may_be_reached(overlay: str) -> None:
    policies = named(overlay, "NetworkPolicy")
    assert policies["nothing-else"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    pods = {name: each["spec"]["template"]["metadata"]["labels"] for name, each in workloads(overlay).items()}
    ways_in: dict[str, set[int]] = {}
    ways_out: dict[str, set[int]] = {}
    for policy in policies.values():
        for name, labels in pods.items():
            if selects(policy["spec"]["podSelector"], labels):
                for rule in policy["spec"].get("ingress", ()):
                    ways_in.setdefault(name, set()).update(port["port"] for port in rule["ports"])
                for rule in policy["spec"].get("egress", ()):
                    ways_out.setdefault(name, set()).update(port["port"] for port in rule["ports"])
    data = {5432, 6379}
    assert ways_in == {
        "web": {5000, 9102}, "worker": {9102}, "scheduler": {9102}, "pushgateway": {9091},
        **({"postgres": data, "redis": data} if overlay == "small" else {}),
    }  # fmt: skip
    boards = {80, 443, 465, 587}
    assert ways_out["web"] == ways_out["worker"] == {53, 9090, 9091} | data | boards
    assert ways_out["scheduler"] == {53, 9090, 9091} | data
    assert ways_out["pushgateway"] == {53}


def test_the_copy_of_the_mapping_file_is_the_mapping_file() -> None:
    name = "statsd-exporter-mapping.yml"
    whole = (ROOT / name).read_text(encoding="utf-8")
    assert (FOLDER / "base" / name).read_text(encoding="utf-8") == whole
    assert named("small", "ConfigMap")["statsd-mapping"]["data"] == {name: whole}


def test_what_the_operator_scrapes_is_there_under_the_names_that_the_rules_ask_for() -> None:
    pods = {
        name: each["spec"]["template"]["metadata"]["labels"] for name, each in workloads("scaled").items()
    }
    exporters = named("scaled", "PodMonitor")["statsd-exporter"]["spec"]
    assert {name for name, labels in pods.items() if selects(exporters["selector"], labels)} == set(OURS)
    gateway = named("scaled", "ServiceMonitor")["pushgateway"]["spec"]
    service = named("scaled", "Service")["pushgateway"]
    assert selects(gateway["selector"], service["metadata"]["labels"])
    assert gateway["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    config = yaml.safe_load((ROOT / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {each["job_name"]: each.get("honor_labels", False) for each in config["scrape_configs"]}
    for endpoint in (*exporters["podMetricsEndpoints"], *gateway["endpoints"]):
        job = next(each["replacement"] for each in endpoint["relabelings"] if each["targetLabel"] == "job")
        assert jobs[job] is endpoint["honorLabels"] is True
