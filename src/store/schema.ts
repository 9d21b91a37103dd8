/** One SQLite file's structure: `version` rises with each change, `migrations[n]` leads from version n to n + 1. */
export interface Schema {
  /** what people call the file */
  name: string
  fileName: string
  /** SQLite's `application_id`: four ASCII letters as an integer, so that a foreign database is told apart */
  applicationId: number
  migrations: readonly string[]
}

// Wei and uint64 are TEXT: SQLite's integers end at 2^63 - 1. Times are unix milliseconds.
const coordinatorTables = `
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tasks (
  id TEXT PRIMARY KEY,
  app_id TEXT NOT NULL,
  idempotency_key TEXT,
  request_hash TEXT NOT NULL,
  model TEXT NOT NULL,
  manifest TEXT NOT NULL,
  kind TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  params_hash TEXT NOT NULL,
  seed TEXT NOT NULL,
  task_key TEXT NOT NULL,
  target_miner TEXT,
  unit_price_wei TEXT NOT NULL,
  max_price_wei TEXT NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  miner TEXT,
  lease_until_ms INTEGER,
  failures TEXT NOT NULL,
  output_hash TEXT,
  receipt TEXT,
  created_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX tasks_by_idempotency_key ON tasks (app_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX tasks_open ON tasks (created_at_ms) WHERE state IN ('queued', 'assigned', 'running');
CREATE INDEX tasks_by_app ON tasks (app_id, created_at_ms);

CREATE TABLE blobs (
  hash TEXT PRIMARY KEY,
  bytes BLOB NOT NULL
) STRICT;

-- The signature journal: append-only, and nothing signed leaves before it stands here.
CREATE TABLE signed_assignments (
  digest TEXT PRIMARY KEY,
  task_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (task_id, attempt)
) STRICT;
CREATE TRIGGER signed_assignments_stay BEFORE UPDATE ON signed_assignments BEGIN SELECT RAISE(ABORT, 'the signature journal is append-only'); END;
CREATE TRIGGER signed_assignments_remain BEFORE DELETE ON signed_assignments BEGIN SELECT RAISE(ABORT, 'the signature journal is append-only'); END;

CREATE TABLE draws (
  draw_index INTEGER PRIMARY KEY,
  task_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  miner TEXT NOT NULL,
  commitment TEXT NOT NULL,
  k INTEGER NOT NULL,
  total_weight_wei TEXT NOT NULL,
  waiting INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  head TEXT NOT NULL
) STRICT;

CREATE TABLE draw_epochs (
  epoch INTEGER PRIMARY KEY,
  secret TEXT NOT NULL,
  commitment TEXT NOT NULL
) STRICT;

CREATE TABLE manifests (
  digest TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  first_seen_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE apps (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  key_hash TEXT NOT NULL UNIQUE,
  key_prefix TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;
`

// What each miner is owed over all time. The secrets of hourly epochs were never committed on chain: nothing can be shown with them.
const coordinatorPayments = `
CREATE TABLE owed (
  miner TEXT PRIMARY KEY,
  owed_wei TEXT NOT NULL
) STRICT, WITHOUT ROWID;

DELETE FROM draw_epochs;
ALTER TABLE draw_epochs ADD COLUMN revealed INTEGER NOT NULL DEFAULT 0;
`

// What a blob is kept for, and the last moment at which something named it (to some minutes). Both stand in rows of before as these
// defaults, so that no blob is copied: those count from the migration. Tokenizer files of manifests stay for ever.
const coordinatorRetention = `
ALTER TABLE blobs ADD COLUMN kept_for INTEGER NOT NULL DEFAULT 1;
ALTER TABLE blobs ADD COLUMN named_at_ms INTEGER NOT NULL DEFAULT 0;
UPDATE blobs SET kept_for = 2 WHERE hash IN
  (SELECT json_extract(file.value, '$.sha256') FROM manifests, json_each(manifests.body, '$.files') AS file);
CREATE INDEX blobs_by_age ON blobs (kept_for, named_at_ms);
INSERT INTO meta (name, value) SELECT 'blobs_since_ms', CAST(unixepoch() * 1000 AS TEXT) WHERE EXISTS (SELECT 1 FROM blobs);

CREATE TABLE uploads (
  hash TEXT NOT NULL,
  app_id TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (hash, app_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE app_media (
  app_id TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

const minerTables = `
CREATE TABLE outbox (
  assignment_digest TEXT PRIMARY KEY,
  task_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  coordinator TEXT NOT NULL,
  body BLOB NOT NULL,
  delivered_at_ms INTEGER
) STRICT;
CREATE INDEX outbox_undelivered ON outbox (coordinator) WHERE delivered_at_ms IS NULL;
`

// The price of a result signed before this version is not known here: it counts as free.
const minerPayments = `
ALTER TABLE outbox ADD COLUMN price_wei TEXT NOT NULL DEFAULT '0';

CREATE TABLE accounts (
  coordinator TEXT PRIMARY KEY,
  owed_wei TEXT NOT NULL,
  results INTEGER NOT NULL,
  voucher_wei TEXT,
  voucher_issued_at TEXT,
  voucher_miner TEXT,
  voucher_signature TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE accepted_results (
  number INTEGER PRIMARY KEY,
  assignment_digest TEXT NOT NULL UNIQUE,
  coordinator TEXT NOT NULL,
  price_wei TEXT NOT NULL
) STRICT;
CREATE INDEX accepted_results_by_coordinator ON accepted_results (coordinator, number);
`

// Media wait here beside their result; a task that is marked as started and never ended ended the process.
const minerMediaAndCrashes = `
CREATE TABLE outbox_media (
  assignment_digest TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (assignment_digest, sha256)
) STRICT;

CREATE TABLE started_tasks (
  assignment_digest TEXT PRIMARY KEY,
  task_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  coordinator TEXT NOT NULL,
  model TEXT NOT NULL,
  manifest TEXT NOT NULL,
  input_hash TEXT NOT NULL,
  crashed_at_ms INTEGER,
  reported INTEGER NOT NULL DEFAULT 0
) STRICT;

ALTER TABLE accounts ADD COLUMN payment_record REAL NOT NULL DEFAULT 1;
`

// Bodies stand beside their results, which are a page to mark as delivered then. Until it is delivered `delivered_at_ms` is null; `signed` is null
// until the body is gone, and each row is in one of the three indexes. `outbox` holds what versions before signed until the sweep has moved it.
const minerResults = `
CREATE TABLE results (
  number INTEGER PRIMARY KEY,
  assignment_digest TEXT NOT NULL UNIQUE,
  task_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  coordinator TEXT NOT NULL,
  price_wei TEXT NOT NULL,
  deadline INTEGER NOT NULL,
  delivered_at_ms INTEGER,
  signed TEXT
) STRICT;
CREATE INDEX results_undelivered ON results (coordinator) WHERE delivered_at_ms IS NULL;
CREATE INDEX results_whole ON results (deadline) WHERE delivered_at_ms IS NOT NULL AND signed IS NULL;
CREATE INDEX results_bare ON results (deadline) WHERE signed IS NOT NULL;

CREATE TABLE result_bodies (
  number INTEGER PRIMARY KEY,
  body BLOB NOT NULL
) STRICT;

-- The latest deadline, in unix seconds, of a result whose row was deleted.
CREATE TABLE forgotten (
  deadline INTEGER NOT NULL
) STRICT;
INSERT INTO forgotten (deadline) VALUES (0);
`

/** The coordinator's file. */
export const coordinatorSchema: Schema = {
  name: 'coordinator store',
  fileName: 'coordinator.sqlite',
  applicationId: 0x43554343, // 'CUCC'
  migrations: [coordinatorTables, coordinatorPayments, coordinatorRetention],
}

/** The miner's file. */
export const minerSchema: Schema = {
  name: 'miner store',
  fileName: 'miner.sqlite',
  applicationId: 0x4355434d, // 'CUCM'
  migrations: [minerTables, minerPayments, minerMediaAndCrashes, minerResults],
}
