"""Reading and writing e-mail: plain functions over bytes and text, no database, no network."""
