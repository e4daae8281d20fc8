-- SPDX-License-Identifier: MIT
-- What collection keeps beside the raw answers: what each question last brought, and who asks it now.

-- A question is a source with what is asked of it, without pages and times (sha256, hex).
CREATE TABLE jobfleet.watermarks (
	question     text PRIMARY KEY,
	source       text NOT NULL,
	asked        jsonb NOT NULL,
	asked_at     timestamptz NOT NULL,
	succeeded_at timestamptz,	-- when the asking began that ended well
	run_id       text
);
COMMENT ON TABLE jobfleet.watermarks IS 'when each question to a source was last answered well';

-- Of equal calls under way at once one asks and the others wait for its answer. A lease, as a lock
-- of a session would not pass a pgbouncer.
CREATE TABLE jobfleet.asking (
	query_hash text PRIMARY KEY,	-- as in raw_job_collections
	task_id    text NOT NULL,
	until      timestamptz NOT NULL
);
COMMENT ON TABLE jobfleet.asking IS 'calls to sources that are under way';
