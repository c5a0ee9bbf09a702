"""What Alta is measured against, and Alta with a part left out: nothing here is ever shipped."""
