"""Keep the jobs, and the signs of life of those who do them."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0006_find_events_by_transaction"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pulse",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("duration_ms", models.PositiveIntegerField(null=True)),
                ("succeeded", models.BooleanField(default=True)),
                ("error", models.TextField(blank=True, default="")),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=64)),
                ("queue", models.CharField(default="default", max_length=16)),
                ("key", models.CharField(blank=True, default="", max_length=200)),
                ("payload", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at", None)),
                        fields=["queue", "due_at", "id"],
                        name="job_unfinished",
                    ),
                    models.Index(
                        condition=models.Q(("state", "failed")),
                        fields=["finished_at", "id"],
                        name="job_failed",
                    ),
                    models.Index(
                        condition=models.Q(("state", "done")),
                        fields=["finished_at", "id"],
                        name="job_done",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("finished_at", None), models.Q(("key", ""), _negated=True)
                        ),
                        fields=("kind", "key"),
                        name="one_unfinished_job_a_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at", None), ("state__in", ("waiting", "running"))),
                            models.Q(
                                ("finished_at__isnull", False), ("state__in", ("done", "failed"))
                            ),
                            _connector="OR",
                        ),
                        name="job_finished_when_it_says_so",
                    ),
                ],
            },
        ),
    ]
