-- Version 2: the API's own code of why a record was not accepted, where it gives one.
ALTER TABLE rejects ADD COLUMN code TEXT;
ALTER TABLE doubts ADD COLUMN code TEXT;
