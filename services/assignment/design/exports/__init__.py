"""Proposals as others look at them: territories' boundaries for GIS tools, a picture before and after for people."""
