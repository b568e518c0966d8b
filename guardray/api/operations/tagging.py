"""Tags of detectors and of what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guardray.api.call import Call, Handler
from guardray.api.errors import access_denied, bad_request, no_such_resource
from guardray.store import api_detectors, api_resources, api_tags

MOST_TAGS = 50
"""That one resource may have."""


def checked_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    """The tags of something new. Raises ApiError where they are too many."""
    if len(tags) > MOST_TAGS:
        raise bad_request(f"a resource may have no more than {MOST_TAGS} tags", "LimitExceededException")
    return tags


def arn_of(call: Call, kind: str, id_: str) -> str:
    """The ARN of what belongs to the caller's detector."""
    return f"{call.own_detector().arn}/{kind}/{id_}"


def tag_resource(call: Call) -> Mapping[str, Any]:
    """The tags are added; a key that is there gets the new value."""
    arn = _own_arn(call)
    checked_tags({**api_tags.tags_of(call.connection, arn), **call.params["Tags"]})
    api_tags.set_tags(call.connection, arn, call.params["Tags"])
    return {}


def untag_resource(call: Call) -> Mapping[str, Any]:
    """The tags of these keys are gone; keys that are not there do not matter."""
    api_tags.remove_tags(call.connection, _own_arn(call), call.params["TagKeys"])
    return {}


def list_tags_for_resource(call: Call) -> Mapping[str, Any]:
    """All tags of a resource."""
    return {"Tags": api_tags.tags_of(call.connection, _own_arn(call))}


def _own_arn(call: Call) -> str:
    """The ARN that the request names.

    Raises:
        ApiError: it is of another account or Region, or of nothing that there is.
    """
    arn: str = call.params["ResourceArn"]
    detector = api_detectors.find(call.connection, call.account_id, call.region)
    _, _, _, region, account, path = arn.split(":", 5)
    if (account, region) != (call.account_id, call.region):
        raise access_denied("the resource is not of the current account and Region")
    if detector is None or not f"{arn}/".startswith(f"{detector.arn}/"):
        raise no_such_resource()
    kind, _, id_ = path.removeprefix(f"detector/{detector.id}").removeprefix("/").partition("/")
    if kind and api_resources.find(call.connection, account, region, kind, id_) is None:
        raise no_such_resource()
    return arn


HANDLERS: Mapping[str, Handler] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
