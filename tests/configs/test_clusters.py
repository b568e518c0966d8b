"""What runs the service: a unit, an image, clusters on EC2 and on Kubernetes, each valid by a tool that knows it."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path

import kubernetes_validate
import pytest
import ray
import yaml
from configs.places import CONFIGS
from dockerfile_parse import DockerfileParser
from ray.autoscaler._private.util import prepare_config, validate_config
from typer.main import get_command

from guardray.cli.app import app
from guardray.service.config import ServeConfig
from guardray.service.config_loading import load_config

KUBERNETES = "1.31"
HEALTH = ServeConfig().ray_environment(Path("/srv/guardray/ray"))

RAY_SERVICE = {"serveConfigV2", "upgradeStrategy", "rayClusterConfig"}
RAY_CLUSTER = {
    "rayVersion",
    "authOptions",
    "enableInTreeAutoscaling",
    "autoscalerOptions",
    "headGroupSpec",
    "workerGroupSpecs",
}
AUTOSCALER = {"idleTimeoutSeconds", "upscalingMode", "resources"}
HEAD_GROUP = {"rayStartParams", "template"}
WORKER_GROUP = HEAD_GROUP | {"groupName", "replicas", "minReplicas", "maxReplicas"}
"""Fields of KubeRay's RayService in ray.io/v1 that are used here, by KubeRay's reference of its API. Its schema is in
no package, so that fields were compared with the reference by hand; pods within are checked by Kubernetes' schema."""


def _documents(name: str) -> list[dict]:
    text = (CONFIGS / "kubernetes" / f"{name}.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load_all(text))


OBJECTS = [one for name in ("guardray", "postgres") for one in _documents(name)]
SERVICE = next(one for one in OBJECTS if one["kind"] == "RayService")
CLUSTER = SERVICE["spec"]["rayClusterConfig"]
GROUPS = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]


def _named(one: dict) -> str:
    return f"{one['kind']}-{one['metadata']['name']}"


@pytest.mark.parametrize("one", [one for one in OBJECTS if one is not SERVICE], ids=_named)
def test_kubernetes_knows_every_field_of_an_object(one):
    kubernetes_validate.validate(one, KUBERNETES, strict=True)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.get("groupName", "head"))
def test_kubernetes_knows_every_field_of_the_pods_of_a_group(group):
    template = group["template"]
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod"} | template, KUBERNETES, strict=True)


def test_the_cluster_has_fields_that_kuberay_documents():
    spec = CLUSTER
    assert set(SERVICE["spec"]) == RAY_SERVICE
    assert set(spec) == RAY_CLUSTER
    assert set(spec["autoscalerOptions"]) == AUTOSCALER
    assert set(spec["headGroupSpec"]) == HEAD_GROUP
    for group in spec["workerGroupSpecs"]:
        assert set(group) == WORKER_GROUP
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for group in GROUPS:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())


def test_the_cluster_is_of_the_ray_that_the_project_is_built_with():
    assert CLUSTER["rayVersion"] == ray.__version__


def test_ray_on_kubernetes_asks_for_a_token():
    assert CLUSTER["authOptions"] == {"mode": "token"}


def test_the_head_on_kubernetes_has_what_the_service_would_set_itself():
    environment = {one["name"]: one.get("value") for one in GROUPS[0]["template"]["spec"]["containers"][0]["env"]}
    wanted = set(HEALTH) - {"RAY_AUTH_MODE"}  # which the operator sets
    assert wanted == set(environment)
    assert all(environment[name] == HEALTH[name] for name in wanted - {"RAY_gcs_storage_path"})


def test_only_the_api_is_open_to_other_namespaces():
    (policy,) = [one for one in OBJECTS if one["kind"] == "NetworkPolicy"]
    for_all = [rule for rule in policy["spec"]["ingress"] if "from" not in rule]
    assert for_all == [{"ports": [{"port": 8000}]}]


def test_no_file_has_a_secret():
    assert not [one for one in OBJECTS if one["kind"] == "Secret"]


def test_every_volume_that_is_mounted_is_there():
    for group in GROUPS:
        spec = group["template"]["spec"]
        mounted = {mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}
    claims = {one["metadata"]["name"] for one in OBJECTS if one["kind"] == "PersistentVolumeClaim"}
    wanted = {
        volume["persistentVolumeClaim"]["claimName"]
        for group in GROUPS
        for volume in group["template"]["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert wanted == claims


def test_the_service_reads_its_configuration_on_kubernetes(tmp_path):
    (config,) = [one for one in OBJECTS if one["kind"] == "ConfigMap"]
    text = config["data"]["guardray.yaml"].replace("/run/secrets/guardray/url", "url")
    (tmp_path / "url").write_text("postgresql://guardray:secret@guardray-postgres/guardray", encoding="utf-8")
    (tmp_path / "guardray.yaml").write_text(text, encoding="utf-8")
    loaded = load_config(tmp_path / "guardray.yaml", None, {}).config
    assert loaded.data.as_posix() == "/data"
    assert loaded.store_url.startswith("postgresql://")
    assert loaded.shards.min > 1


def _cluster() -> dict:
    return yaml.safe_load((CONFIGS / "ray" / "cluster.yaml").read_text(encoding="utf-8"))


def test_ray_takes_the_cluster_on_ec2():
    validate_config(prepare_config(_cluster()))


def test_the_cluster_on_ec2_has_room_for_all_its_nodes():
    cluster = _cluster()
    workers = [one for name, one in cluster["available_node_types"].items() if name != cluster["head_node_type"]]
    assert sum(one["max_workers"] for one in workers) == cluster["max_workers"]
    assert sum(one["min_workers"] for one in workers) > 1


def test_the_nodes_on_ec2_have_what_the_service_would_set_itself():
    options = " ".join(_cluster()["docker"]["run_options"])
    environment = dict(re.findall(r"--env (\w+)=(\S+)", options))
    commands = " ".join(_cluster()["head_start_ray_commands"])
    given = environment | dict(re.findall(r"\b(RAY_\w+)=(\S+)", commands))
    assert HEALTH | {"RAY_gcs_storage_path": given["RAY_gcs_storage_path"]} == {name: given[name] for name in HEALTH}


def test_the_service_reads_its_configuration_on_ec2():
    config = load_config(CONFIGS / "ray" / "guardray-cluster.yaml", None, {}).config
    assert (config.ray.address, config.checkpoints_url) == ("auto", "s3://EXAMPLE-state/guardray")


def _dockerfile(tmp_path) -> DockerfileParser:
    parser = DockerfileParser(str(tmp_path / "Dockerfile"))
    parser.content = (CONFIGS / "Dockerfile").read_text(encoding="utf-8")
    return parser


def test_the_image_runs_as_nobody_special_and_ends_in_order(tmp_path):
    told = {one["instruction"]: one["value"] for one in _dockerfile(tmp_path).structure}
    assert told["USER"] == "ray"
    assert told["STOPSIGNAL"] == "SIGTERM"
    assert json.loads(told["ENTRYPOINT"]) == ["guardray"]
    assert _options_of(json.loads(told["CMD"])) <= _known("serve")


def test_the_image_has_the_python_that_the_project_needs_and_pins_what_it_installs(tmp_path):
    parser = _dockerfile(tmp_path)
    assert {image.partition("-")[0] for image in parser.parent_images} == {"python:3.11"}
    installs = [
        one["value"] for one in parser.structure if one["instruction"] == "RUN" and "pip install" in one["value"]
    ]
    assert all("-c constraints.txt" in one for one in installs)


def test_what_the_image_copies_is_not_ignored(tmp_path):
    ignored = (CONFIGS / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [one["value"].split() for one in _dockerfile(tmp_path).structure if one["instruction"] == "COPY"]
    sources = {name for words in copied if not words[0].startswith("--from") for name in words[:-1]}
    assert {f"!{name}" for name in sources} <= set(ignored)
    assert all((CONFIGS.parent / name).exists() for name in sources)


def test_the_unit_stops_the_service_and_waits_for_it_to_drain():
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str
    unit.read(CONFIGS / "systemd" / "guardray.service", encoding="utf-8")
    service = unit["Service"]
    assert (service["KillMode"], service["KillSignal"], service["Restart"]) == ("mixed", "SIGTERM", "always")
    assert int(service["TimeoutStopSec"]) >= 120
    assert _options_of(service["ExecStart"].split()[1:]) <= _known("serve")


def _options_of(words: list[str]) -> set[str]:
    assert words[0] == "serve"
    return {word for word in words if word.startswith("--")}


def _known(command: str) -> set[str]:
    found = get_command(app).commands[command]
    return {option for parameter in found.params for option in parameter.opts}


def test_the_cluster_on_ec2_starts_the_service_with_options_that_it_has():
    text = " ".join(_cluster()["head_start_ray_commands"])
    assert _options_of(text[text.index("guardray serve") :].split()[1:]) <= _known("serve")
