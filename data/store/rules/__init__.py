"""What is in force at a site, who agreed to it, and what watches over it."""
