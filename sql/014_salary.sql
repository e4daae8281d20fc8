-- SPDX-License-Identifier: MIT
-- Salary figures as other programs lean on them: indexes for the queries that are asked, views, merging,
-- retention, the trail of changes, export and erasure.
--
-- Names that others rely on (all of them end up in this file):
--   jobfleet.salary_reads        who read which answer
--   jobfleet.salary_checks       when a figure was last found unchanged
--   jobfleet.salary_checked()    when a row was last written or found unchanged
--   public.upsert_salary_benchmark(jsonb), public.cleanup_salary_data(…)

-- ---- who read what ----

-- Reads of salary answers by tasks, written in batches by the salary program. The only rows here that
-- say something about a caller: origin is the client's own name for itself (the message's `origin`).
CREATE TABLE jobfleet.salary_reads (
	read_at   timestamptz NOT NULL,
	cache_key text NOT NULL,
	origin    text NOT NULL DEFAULT '',
	task_id   text,
	outcome   text NOT NULL CHECK (outcome IN ('hit', 'stale', 'miss'))
);
-- retention, oldest first: rows come in the order of time, so one page of an index serves thousands
CREATE INDEX salary_reads_at ON jobfleet.salary_reads USING brin (read_at);
-- export and erasure of what one client asked
CREATE INDEX salary_reads_origin ON jobfleet.salary_reads (origin, read_at);
-- who asked for this answer
CREATE INDEX salary_reads_key ON jobfleet.salary_reads (cache_key, read_at);
COMMENT ON TABLE jobfleet.salary_reads IS 'reads of salary answers by tasks: when, which, for whom';
COMMENT ON COLUMN jobfleet.salary_reads.origin IS 'the client''s own name for itself, as its message has it';

-- ---- when a figure was last found unchanged ----

-- A source that says the same again does not touch the figure's row (its indexes, its trail), only this.
CREATE TABLE jobfleet.salary_checks (
	row_id     text NOT NULL,	-- id of the row in public.salary_benchmarks or public.market_data
	checked_at timestamptz NOT NULL,
	PRIMARY KEY (row_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE jobfleet.salary_checks IS 'when a figure was last found unchanged; its own row says when it changed';

-- When a figure was last written or found unchanged: jobfleet.salary_checked(b.id::text, b.updated_at).
CREATE FUNCTION jobfleet.salary_checked(row_id text, updated_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT greatest(updated_at, (SELECT k.checked_at FROM jobfleet.salary_checks k WHERE k.row_id = $1))
$$;

-- ---- which batches of reads have come ----

-- Reads wait in Redis and come in batches. A batch handed in twice, as by a flush that died before Redis
-- forgot it, is known by its id and counts once.
CREATE TABLE jobfleet.salary_read_batches (
	id       uuid PRIMARY KEY,
	reads    integer NOT NULL,
	taken_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE jobfleet.salary_read_batches IS 'batches of jobfleet.salary_reads that have come, so that none counts twice';

-- ---- what a sync bought ----

-- What the sources said, in the least parts that they can be asked for (workers/salary/question.h), so
-- that a sync that was interrupted, and another one, ask for nothing twice. Public figures only.
CREATE TABLE jobfleet.salary_parts (
	source   text NOT NULL,
	name     text NOT NULL,
	said     text NOT NULL,	-- as the source worded it; '' = it has no such thing
	asked_at timestamptz NOT NULL,
	PRIMARY KEY (source, name)
);
COMMENT ON TABLE jobfleet.salary_parts IS 'series and table cells that sync_salary_data asked the sources for; kept 30 days';
