"""Signing in, the account, invitations and second factors."""
