"""What can be tested: an address, or an object that is served here for as long as it takes."""
