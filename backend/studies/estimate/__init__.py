"""How long a study may take: its work in tokens, at the pace of packs that were measured, as a range."""
