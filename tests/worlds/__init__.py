"""The counterparts the desk is tested against: each speaks its real protocol on loopback."""
