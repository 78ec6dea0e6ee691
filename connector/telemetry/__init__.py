"""The meters: spans for every request, exported where the standard variables say."""
