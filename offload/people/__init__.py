"""Who uses a service: tenants with their users, projects and keys, what each may do, and what each did."""
