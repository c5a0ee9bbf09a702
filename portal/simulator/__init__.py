"""Play an identity provider's real conversation against a SCIM server, then read everything back."""
