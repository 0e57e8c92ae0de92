"""E-mail, both ways."""
