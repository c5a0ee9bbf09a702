"""The models that django-scim2's documentation shows, and a table of tokens."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django_scim.models import AbstractSCIMGroupMixin, AbstractSCIMUserMixin


class Group(AbstractSCIMGroupMixin):
    """A group."""

    name = models.CharField(max_length=255, unique=True)

    def __str__(self):
        return self.name


class User(AbstractSCIMUserMixin, AbstractUser):
    """A user, which is Django's."""

    scim_groups = models.ManyToManyField(Group, related_name="user_set")


class Token(models.Model):
    """A secret's digest, and for whom it stands."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, models.CASCADE)

    def __str__(self):
        return self.digest[:8]
