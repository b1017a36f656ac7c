-- The ledger of outpour, version 1; the later versions are steps from it. Read it with any tool: `sqlite3 .outpour/ledger.db`.
-- Times are RFC 3339 in UTC. Ordinals number the records of all inputs of a run, from 1, in the order of reading.

-- A row a run. A run that was stopped and then gone on with is one run of several sessions.
CREATE TABLE runs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,  -- the number that people type
    run_id       TEXT NOT NULL UNIQUE,               -- the identifier in reports and events
    job          TEXT NOT NULL,
    template     TEXT NOT NULL,                      -- its name, or `manual`
    config       TEXT NOT NULL,                      -- the configuration's path
    mock         INTEGER NOT NULL DEFAULT 0,         -- 1: it went to a built-in look-alike
    retries      INTEGER,                            -- the run whose records are sent again
    state        TEXT NOT NULL CHECK (state IN ('running', 'stopped', 'finished', 'replaced')),
    sessions     INTEGER NOT NULL DEFAULT 1,         -- how often it was begun or gone on with
    fingerprint  TEXT NOT NULL,                      -- JSON: what must be the same for it to be gone on with
    started_at   TEXT NOT NULL,
    ended_at     TEXT,                               -- null while it runs, or since it was killed
    duration_ms  INTEGER NOT NULL DEFAULT 0,         -- of all sessions together
    exit_code    INTEGER,
    ending       TEXT,
    because      TEXT,                               -- why it ended so, where it did not simply finish
    read         INTEGER NOT NULL DEFAULT 0,
    accepted     INTEGER NOT NULL DEFAULT 0,
    rejected     INTEGER NOT NULL DEFAULT 0,
    filtered     INTEGER NOT NULL DEFAULT 0,
    in_doubt     INTEGER NOT NULL DEFAULT 0,
    unsent       INTEGER NOT NULL DEFAULT 0,
    requests     INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    bytes_sent   INTEGER NOT NULL DEFAULT 0,
    report       TEXT                                -- the report of its last session, JSON
) STRICT;

CREATE INDEX runs_by_job ON runs (job, id);

-- What became of records first to last, as counts; the single ones stand in `rejects` and `doubts`.
-- A record of none of a run's ranges has no outcome yet. Ranges grow together, so these are few.
CREATE TABLE deliveries (
    run       INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    first     INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    accepted  INTEGER NOT NULL,
    rejected  INTEGER NOT NULL,
    filtered  INTEGER NOT NULL,
    in_doubt  INTEGER NOT NULL,
    PRIMARY KEY (run, first)
) STRICT, WITHOUT ROWID;

-- What may have been sent and has no outcome yet: the batch whose records are `members`, such as `5-104,110`,
-- or with `single` that many batches of one record. Written before the first byte of it is sent.
CREATE TABLE marks (
    run      INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    first    INTEGER NOT NULL,
    members  TEXT NOT NULL,
    single   INTEGER NOT NULL,
    PRIMARY KEY (run, first)
) STRICT, WITHOUT ROWID;

-- Where records come from, and what they look like there.
CREATE TABLE origins (
    id         INTEGER PRIMARY KEY,
    run        INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    header     BLOB,     -- the header of a CSV file; null where records are JSON
    delimiter  INTEGER,
    quote      INTEGER
) STRICT;

-- Records that were not accepted. `settled_by` is the later run that sent them again.
CREATE TABLE rejects (
    run         INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    ordinal     INTEGER NOT NULL,
    origin      INTEGER NOT NULL REFERENCES origins (id),
    number      INTEGER NOT NULL,   -- the record's number in its input, from 1
    line        INTEGER,
    byte        INTEGER NOT NULL,
    original    BLOB NOT NULL,      -- the record as its input had it
    is_record   INTEGER NOT NULL,   -- 0: the row could not be read as a record
    reason      TEXT NOT NULL,
    status      INTEGER,            -- of the last reply, if one came
    attempts    INTEGER NOT NULL,
    reply       BLOB,               -- the first bytes of that reply's body
    at          TEXT NOT NULL,
    in_file     INTEGER NOT NULL DEFAULT 0,
    settled_by  INTEGER,
    settled_as  TEXT CHECK (settled_as IN ('accepted', 'rejected', 'filtered', 'in_doubt')),
    PRIMARY KEY (run, ordinal)
) STRICT;

-- Records that were sent, or may have been, and whose answer never came. The same columns.
CREATE TABLE doubts (
    run         INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    ordinal     INTEGER NOT NULL,
    origin      INTEGER NOT NULL REFERENCES origins (id),
    number      INTEGER NOT NULL,
    line        INTEGER,
    byte        INTEGER NOT NULL,
    original    BLOB NOT NULL,
    is_record   INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    status      INTEGER,
    attempts    INTEGER NOT NULL,
    reply       BLOB,
    at          TEXT NOT NULL,
    in_file     INTEGER NOT NULL DEFAULT 0,
    settled_by  INTEGER,
    settled_as  TEXT CHECK (settled_as IN ('accepted', 'rejected', 'filtered', 'in_doubt')),
    PRIMARY KEY (run, ordinal)
) STRICT;

-- Replies that still have to reach the webhook, in the order in which they came.
CREATE TABLE events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    run         INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    webhook_id  TEXT NOT NULL UNIQUE,   -- the same in every delivery of the event
    body        BLOB NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0   -- how often the webhook refused it
) STRICT;

CREATE INDEX events_by_run ON events (run, id);

-- How many events the webhook took, how many it refused for good, and how many found no room.
CREATE TABLE event_counts (
    run        INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    delivered  INTEGER NOT NULL DEFAULT 0,
    failed     INTEGER NOT NULL DEFAULT 0,
    dropped    INTEGER NOT NULL DEFAULT 0
) STRICT;
