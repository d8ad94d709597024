"""Risk views: hourly numbers of merchants, devices, IP networks and customers, from the lake."""
