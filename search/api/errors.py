"""Every error of the API in one shape: a sentence, a code, and the parameter that it is about."""

import logging
import math
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from gallery.verification import Refused
from search.query import BadParameter
from search.views.unavailable import NOT_ANSWERING, retry_after, sentence, too_often

logger = logging.getLogger(__name__)


class NotFoundParameter(Exception):
    """A parameter that names something which is not there, or not for these eyes."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field
        self.message = message


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: the answer to an error, or None for what is a defect of ours."""
    if isinstance(error, BadParameter):
        return answer(400, error.message, "bad_parameter", field=error.field or None)
    if isinstance(error, NotFoundParameter):
        return answer(404, error.message, "not_found", field=error.field)
    if isinstance(error, Refused):
        return answer(error.status, str(error.message), error.code, field="image")
    if isinstance(error, NOT_ANSWERING):
        logger.warning("Search did not answer: %s", error)
        return answer(503, sentence(error), "unavailable", seconds=retry_after(error))
    if isinstance(error, exceptions.Throttled):
        seconds = max(1, math.ceil(getattr(error, "wait", None) or 1))
        return answer(429, too_often(seconds), "too_often", seconds=seconds)
    if isinstance(error, RequestDataTooBig):
        return answer(413, _("The request is too large."), "too_large")
    if isinstance(error, SuspiciousOperation):
        return answer(400, _("The request cannot be read."), "bad_request")
    if isinstance(error, Http404):
        return answer(404, _("There is nothing here."), "not_found")
    if isinstance(error, PermissionDenied):
        return answer(403, _("You may not do this."), "permission_denied")
    if isinstance(error, exceptions.APIException):
        response = answer(error.status_code, str(error.detail), str(error.default_code))
        if isinstance(error, exceptions.MethodNotAllowed):
            response["Allow"] = ", ".join(context["view"].allowed_methods)
        return response
    return None


def answer(status: int, message: str, code: str, *, field: str | None = None, seconds: int | None = None) -> Response:
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Response({"error": message, "code": code, "field": field}, status=status, headers=headers)
