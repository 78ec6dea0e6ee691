"""What hosts read before they call anything: the lists of tools and resources, and what becomes of an old list."""
