"""Statistics of a study: pure functions over plain records, on full data, each with its formula and source."""
