-- Version 3: requests that go out with another idempotency key than their first, since a failure was answered to it.
-- Written before the new key is used; the rows of a run go when it ends with nothing in doubt.
CREATE TABLE keys (
    run         INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key         TEXT NOT NULL,      -- the request's first key
    generation  INTEGER NOT NULL,   -- how many keys it had before the present one
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;
