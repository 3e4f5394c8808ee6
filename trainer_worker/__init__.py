"""The machine side of Whetstone: asks the platform for jobs, trains, reports. Never imports Django."""
