"""Refusals of the API, with the codes and texts that clients match on."""

from __future__ import annotations

from guardray.errors import GuardrayError


class ApiError(GuardrayError):
    """A request that is refused.

    Attributes:
        code: what clients know the error by.
        inner: the reason in the body, which the service itself tells apart where the code does not.
        status: of HTTP.
    """

    def __init__(self, message: str, code: str, inner: str, status: int) -> None:
        super().__init__(message)
        self.message, self.code, self.inner, self.status = message, code, inner, status


def bad_request(reason: str, inner: str = "InvalidInputException") -> ApiError:
    """400, for nearly everything that a caller gets wrong. The reason ends a sentence that begins for it."""
    return ApiError(f"The request is rejected because {reason}.", "BadRequestException", inner, 400)


def foreign_detector() -> ApiError:
    """The detector is not the caller's, or there is none. Tools compare this text."""
    return bad_request("the input detectorId is not owned by the current account")


def no_such_resource() -> ApiError:
    """There is no filter, list or destination of that name. Tools compare this text, which has its own wording."""
    message = "The request is rejected since no such resource found."
    return ApiError(message, "BadRequestException", "NoSuchEntityException", 400)


def already_there(what: str) -> ApiError:
    """The name is taken."""
    return bad_request(f"{what} already exists for the current account", "EntityAlreadyExistsException")


def limit_reached(what: str) -> ApiError:
    """There are as many as there may be."""
    return bad_request(f"the current account has the most {what} that it may have", "LimitExceededException")


def access_denied(reason: str) -> ApiError:
    """403, where an operation declares it."""
    return ApiError(f"The request is rejected because {reason}.", "AccessDeniedException", "AccessDeniedException", 403)


def not_found(reason: str) -> ApiError:
    """404, which only the newer operations declare."""
    code = "ResourceNotFoundException"
    return ApiError(f"The request is rejected because {reason}.", code, code, 404)


def conflict(reason: str) -> ApiError:
    """409, which only the newer operations declare."""
    return ApiError(f"The request is rejected because {reason}.", "ConflictException", "ConflictException", 409)


def unknown_operation(method: str, path: str) -> ApiError:
    """No operation has this path and method."""
    code = "UnknownOperationException"
    return ApiError(f"There is no operation {method} {path[:200]}.", code, code, 404)


def internal_error() -> ApiError:
    """500: a fault of ours. What went wrong is in the log, under the request's id."""
    code = "InternalServerErrorException"
    return ApiError("The server failed; its log says why, under the id of this request.", code, code, 500)
