"""Keep the seals of the trail, and how far Alta itself verified it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("epoch", models.IntegerField()),
                ("source", models.CharField(max_length=64)),
                ("after_id", models.BigIntegerField()),
                ("upto_id", models.BigIntegerField()),
                ("lo", models.BigIntegerField()),
                ("hi", models.BigIntegerField()),
                ("count", models.BigIntegerField()),
                ("total", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("root", models.BinaryField()),
                ("leaves", models.BinaryField()),
                ("previous", models.BinaryField()),
                ("public_key", models.BinaryField()),
                ("signature", models.BinaryField()),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("checked_at", models.DateTimeField(null=True)),
                ("through", models.BigIntegerField(default=0)),
                ("through_at", models.DateTimeField(null=True)),
                ("signature", models.BinaryField(null=True)),
                ("again_from", models.BigIntegerField(default=0)),
                ("broken_since", models.DateTimeField(null=True)),
                ("findings", models.JSONField(default=list)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_verification")
                ],
            },
        ),
    ]
