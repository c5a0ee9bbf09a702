"""Fill a database as years of use would: events of the trail, users, groups and members."""
