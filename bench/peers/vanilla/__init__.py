"""A plain project with django-scim2, its defaults, and a token that is looked up by its digest."""
