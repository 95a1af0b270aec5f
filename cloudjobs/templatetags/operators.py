"""`{% operator_figures as figures %}`: for the first page of the admin."""

from django import template

from cloudjobs.operators import figures

register = template.Library()
register.simple_tag(figures, name="operator_figures")
