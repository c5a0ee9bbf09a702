"""Lets a bearer token in: one look-up by the digest of its secret."""

import hashlib

from vanilla.models import Token


class TokenMiddleware:
    """Set request.user to the token's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer":
            digest = hashlib.sha256(secret.encode()).hexdigest()
            found = Token.objects.select_related("user").filter(digest=digest).first()
            if found:
                request.user = found.user
        return self.get_response(request)
