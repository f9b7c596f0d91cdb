"""Servers, their creation and their enrolment."""
