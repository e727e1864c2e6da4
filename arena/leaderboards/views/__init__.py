"""What people see of an arena's votes; every page and file reads a published snapshot."""
