"""Taking over accounts, reps, plans and coverage as a CRM's API gives them; twice is as once."""
