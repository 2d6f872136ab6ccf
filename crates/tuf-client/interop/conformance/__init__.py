"""What any TUF client has to do, one small test for each behaviour, by subject. Every test runs for our
example client and for python-tuf's: a test that python-tuf fails would be a wrong test."""
