"""`strongroom tour`: the whole story on sample data, told with the commands a person would type."""
