"""Models held in memory to be asked: the host that dials out to the platform, and the engines that write."""
