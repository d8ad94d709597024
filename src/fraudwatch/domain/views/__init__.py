"""Risk views: what the lake knows of merchants, devices, networks and customers, hour by hour."""
