"""What the service and its workers share on one machine: a data folder and the database of jobs in it."""
