"""Other systems' ways of speaking about visits. They know no tables of ours."""
