"""Speaking with CRMs in their own shapes: record changes in, plans and accounts in and out."""
