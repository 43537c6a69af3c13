"""What inspectors do: tasks, leases, reviews, labels; gold items, second looks and audits."""
