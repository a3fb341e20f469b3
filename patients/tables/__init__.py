"""Files of patients: reading CSV and XLSX row by row, guessing columns, understanding values. Pure."""
