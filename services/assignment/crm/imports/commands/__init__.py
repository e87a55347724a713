"""Commands that take over what a CRM's document holds."""
