"""What the simulator answers when it does not do what was asked."""


class ApiError(Exception):
    """A refusal in the Selling Partner API's own form.

    :param int status: HTTP status
    :param str code: Amazon's error code, e.g. `InvalidInput`
    :param str message: Amazon's message
    :param str details: further detail
    """

    def __init__(self, status, code, message, details=""):
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def body(self):
        """Return the JSON body: an `ErrorList` of the models."""
        error = {"code": self.code, "message": self.message, "details": self.details}
        return {"errors": [error]}


def invalid_input(message, details=""):
    """Build the 400 that Amazon gives for a request it cannot accept."""
    return ApiError(400, "InvalidInput", message, details)


def not_found(message="The requested resource doesn't exist."):
    """Build the 404 of the Selling Partner API."""
    return ApiError(404, "NotFound", message)


def unauthorized(details=""):
    """Build the 403 of the Selling Partner API (bad token or missing role)."""
    message = "Access to requested resource is denied."
    return ApiError(403, "Unauthorized", message, details)


def quota_exceeded():
    """Build the 429 of the Selling Partner API. It carries no time to wait."""
    message = "You exceeded your quota for the requested resource."
    return ApiError(429, "QuotaExceeded", message)


class SeedError(ValueError):
    """The orders file says something that the simulator cannot understand."""
