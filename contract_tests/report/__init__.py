"""What a run says to people and to machines: terminal, JSON, JUnit XML and one HTML page.

Every report is a function of `Run`. Nothing here plays a session or judges an answer.
"""
