"""`python -m connector.oauth.issuing`: asks for a password and prints what to write into `people=`."""

from getpass import getpass

from .people.passwords import password_hash

if __name__ == "__main__":
    print(password_hash(getpass("Password (not shown): ")))  # noqa: T201 what it is for
