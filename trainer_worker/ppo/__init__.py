"""Proximal policy optimization (Schulman et al. 2017, arXiv:1707.06347): what TRL no longer has, on its sampler."""
