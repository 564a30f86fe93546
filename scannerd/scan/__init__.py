"""From settings to photos: the plan, its phases, one viewpoint, the whole run."""
