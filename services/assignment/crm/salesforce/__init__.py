"""A plan in the shape of Salesforce's Sales Territories: Territory2, assignment rules, user associations."""
