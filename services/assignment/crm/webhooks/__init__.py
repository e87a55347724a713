"""Record changes that a CRM sends, signed: upserted, matched again and announced at once."""
