"""The service as a configuration of Serve: valid, and of parts that exist."""

from __future__ import annotations

import yaml
from configs.places import CONFIGS
from ray.serve._private.build_app import build_app
from ray.serve.schema import ServeDeploySchema

from guardray.runtime.application import Arguments, application

SERVE = (CONFIGS / "ray" / "serve.yaml").read_text(encoding="utf-8")


def _kubernetes() -> dict:
    text = (CONFIGS / "kubernetes" / "guardray.yaml").read_text(encoding="utf-8")
    return next(one for one in yaml.safe_load_all(text) if one["kind"] == "RayService")


def test_serve_takes_the_configuration():
    parsed = ServeDeploySchema.model_validate(yaml.safe_load(SERVE))
    assert [one.route_prefix for one in parsed.applications] == ["/"]


def test_the_application_is_there_with_the_deployments_that_are_configured(tmp_path):
    (told,) = yaml.safe_load(SERVE)["applications"]
    assert told["import_path"] == f"{application.__module__}:{application.__name__}"
    (tmp_path / "guardray.yaml").write_text("data: state", encoding="utf-8")
    built = build_app(application(Arguments(config=tmp_path / "guardray.yaml")), name=told["name"])
    assert {one.name for one in built.deployments} == {one["name"] for one in told["deployments"]}
    assert Arguments.model_validate(told["args"])


def test_nothing_is_started_or_written_before_the_application_is_deployed(tmp_path):
    (tmp_path / "guardray.yaml").write_text("data: state", encoding="utf-8")
    application(Arguments(config=tmp_path / "guardray.yaml"))
    assert [path.name for path in tmp_path.iterdir()] == ["guardray.yaml"]


def test_kubernetes_deploys_the_same_application():
    service = _kubernetes()
    assert yaml.safe_load(service["spec"]["serveConfigV2"]) == yaml.safe_load(SERVE)
    mounts = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert "/etc/guardray" in {mount["mountPath"] for mount in mounts}
