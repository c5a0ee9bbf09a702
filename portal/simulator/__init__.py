"""Play an identity provider's real conversation with a SCIM server, then read everything back."""
