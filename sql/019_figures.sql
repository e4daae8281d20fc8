-- SPDX-License-Identifier: MIT
-- Numbers that /metrics, health, alerts, reports and the autoscaler read alike. Each function takes
-- the time, reads only what lies before it, and changes nothing. Shares go from 0 to 1 and are null
-- of nothing; times are seconds.

-- ---- what programs count ----

-- A program counts on a board (common/base/board.h) and its heartbeat row carries the board, added up
-- since the process began: info->'counts' = {"name": {"label<tab>label": [n, …]}}. Here stands the sum
-- over all processes that ever were: it never sinks, whoever restarts or is forgotten. What a killed
-- process counted since its last heartbeat is not in it.
CREATE TABLE jobfleet.totals (
	name   text NOT NULL,
	labels text[] NOT NULL,
	n      double precision[] NOT NULL,
	PRIMARY KEY (name, labels)
) WITH (fillfactor = 50);
COMMENT ON TABLE jobfleet.totals IS 'what all programs have counted; docs/metrics.md lists names and labels';

-- Calls to sources by the minute, for figures over a window. Two days are kept.
CREATE TABLE jobfleet.source_calls (
	source  text NOT NULL,
	minute  timestamptz NOT NULL,
	calls   bigint NOT NULL DEFAULT 0,
	failed  bigint NOT NULL DEFAULT 0,	-- without an answer, or with one that is to be asked for again
	seconds double precision NOT NULL DEFAULT 0,
	PRIMARY KEY (source, minute)
);
CREATE INDEX source_calls_minute ON jobfleet.source_calls (minute);
COMMENT ON TABLE jobfleet.source_calls IS 'calls to sources by the minute; from the heartbeats of programs';

CREATE FUNCTION jobfleet.add_arrays(a double precision[], b double precision[])
RETURNS double precision[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT array_agg(coalesce(x, 0) + coalesce(y, 0) ORDER BY i)
	FROM unnest(a, b) WITH ORDINALITY AS u (x, y, i)
$$;

-- What a board has more than it had; all of it when it is another process's.
CREATE FUNCTION jobfleet.counted(before jsonb, after jsonb)
RETURNS TABLE (name text, labels text[], n double precision[]) LANGUAGE sql IMMUTABLE AS $$
	SELECT c.key, string_to_array(v.key, E'\t'), d.n
	FROM jsonb_each(CASE jsonb_typeof(after) WHEN 'object' THEN after ELSE '{}' END) AS c
	CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(c.value) WHEN 'object' THEN c.value ELSE '{}' END) AS v
	CROSS JOIN LATERAL (SELECT array_agg(a.x::double precision - coalesce(b.x::double precision, 0) ORDER BY a.i)
		FROM jsonb_array_elements_text(v.value) WITH ORDINALITY AS a (x, i)
		LEFT JOIN jsonb_array_elements_text(before -> c.key -> v.key) WITH ORDINALITY AS b (x, i) USING (i)) AS d (n)
	WHERE v.value IS DISTINCT FROM before -> c.key -> v.key
$$;

-- Of each heartbeat: what was counted since the one before. A repeated heartbeat adds nothing.
CREATE FUNCTION jobfleet.count_beat() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	same   boolean := TG_OP = 'UPDATE' AND OLD.pid = NEW.pid AND OLD.host = NEW.host
		AND OLD.info ->> 'since' IS NOT DISTINCT FROM NEW.info ->> 'since';
	before jsonb := CASE WHEN same THEN OLD.info -> 'counts' END;
	after  jsonb := NEW.info -> 'counts';
BEGIN
	IF TG_OP = 'UPDATE' AND NOT same AND OLD.info ? 'since' AND OLD.state <> 'stopped' THEN
		INSERT INTO jobfleet.totals AS t (name, labels, n)
		VALUES ('restarts', ARRAY[NEW.program, 'program_died'], ARRAY[1])
		ON CONFLICT ON CONSTRAINT totals_pkey DO UPDATE SET n = jobfleet.add_arrays(t.n, excluded.n);
	END IF;
	IF after IS NULL OR after = before THEN
		RETURN NULL;
	END IF;
	-- in one order, so that no two heartbeats wait for each other
	INSERT INTO jobfleet.totals AS t (name, labels, n)
	SELECT c.name, c.labels, c.n FROM jobfleet.counted(before, after) c ORDER BY c.name, c.labels
	ON CONFLICT ON CONSTRAINT totals_pkey DO UPDATE SET n = jobfleet.add_arrays(t.n, excluded.n);
	IF after ? 'source_calls' THEN
		INSERT INTO jobfleet.source_calls AS s (source, minute, calls, failed, seconds)
		SELECT c.labels[1], date_trunc('minute', NEW.seen_at),
			coalesce(sum(c.n[1]) FILTER (WHERE c.name = 'source_calls'), 0),
			coalesce(sum(c.n[1]) FILTER (WHERE c.name = 'source_calls' AND c.labels[2] <> 'answered'), 0),
			coalesce(sum(c.n[1]) FILTER (WHERE c.name = 'source_seconds'), 0)
		FROM jobfleet.counted(before, after) c WHERE c.name IN ('source_calls', 'source_seconds')
		GROUP BY 1 ORDER BY 1
		ON CONFLICT ON CONSTRAINT source_calls_pkey DO UPDATE SET calls = s.calls + excluded.calls,
			failed = s.failed + excluded.failed, seconds = s.seconds + excluded.seconds;
	END IF;
	RETURN NULL;
EXCEPTION WHEN OTHERS THEN	-- a worker without a heartbeat passes for a dead one
	RAISE WARNING 'what % counted since its last heartbeat is left out: %', NEW.node, SQLERRM;
	RETURN NULL;
END $$;
CREATE TRIGGER count_beat AFTER INSERT OR UPDATE OF info ON jobfleet.workers
	FOR EACH ROW EXECUTE FUNCTION jobfleet.count_beat();

-- ---- figures ----

-- Of each task and queue that ended something in the window before `at`. From the ledger: it reads
-- every row settled in the window (an index range), so a window of an hour is cheap, one of days is not.
--   succeeded, failed, revoked   ended for good, by outcome (ignored and rejected count as neither)
--   retried                      attempts that ended in a retry
--   attempts                     all attempts settled, final or not
--   error_rate                   failed of succeeded + failed
--   mean_s, p50_s, p99_s         run time of attempts, begin to settled; of those that began
--   wait_mean_s is not known here: jobfleet.totals has queue waits ('task_wait_seconds')
CREATE FUNCTION jobfleet.task_figures(at timestamptz, "window" interval)
RETURNS TABLE (task text, queue text, succeeded bigint, failed bigint, revoked bigint, retried bigint,
	attempts bigint, error_rate double precision, mean_s double precision, p50_s double precision,
	p99_s double precision)
LANGUAGE sql STABLE AS $$
	SELECT l.task, l.queue,
		count(*) FILTER (WHERE l.final AND l.outcome = 'success'),
		count(*) FILTER (WHERE l.final AND l.outcome = 'failure'),
		count(*) FILTER (WHERE l.final AND l.outcome = 'revoked'),
		count(*) FILTER (WHERE l.outcome = 'retry'),
		count(*),
		count(*) FILTER (WHERE l.final AND l.outcome = 'failure')::double precision
			/ nullif(count(*) FILTER (WHERE l.final AND l.outcome IN ('success', 'failure')), 0),
		avg(t.s), percentile_cont(0.5) WITHIN GROUP (ORDER BY t.s),
		percentile_cont(0.99) WITHIN GROUP (ORDER BY t.s)
	FROM jobfleet.ledger l
	CROSS JOIN LATERAL (SELECT extract(epoch FROM l.settled_at - l.started_at)::double precision) AS t (s)
	WHERE l.settled_at > $1 - $2 AND l.settled_at <= $1
	GROUP BY 1, 2
$$;

-- Of each queue that a live worker serves, or for which something waits or ended within 5 minutes.
-- What the broker holds is not known here (readers ask it); what the tables know is:
--   outbox, enqueued, eta, retry, parked   rows of pending that wait, by kind
--   claimed       long tasks that run or whose lease runs out (kind claim)
--   due           of all that wait (claims too): due by `at`, so the relay's work now
--   sent          published and not settled: in the broker or in a worker's hands
--   oldest_s      age of the oldest task that could run: since it was due, or since it was sent
--   lag_s         relay lag: of the oldest row that is due and that nobody holds
--   settle_rate   attempts settled a second, over the last 5 minutes
--   mean_s        their run time
--   workers       live workers that serve it (a heartbeat within a minute before `at`)
--   children      their processes
CREATE FUNCTION jobfleet.queue_figures(at timestamptz)
RETURNS TABLE (queue text, outbox bigint, enqueued bigint, eta bigint, retry bigint, parked bigint,
	claimed bigint, due bigint, sent bigint, oldest_s double precision, lag_s double precision,
	settle_rate double precision, mean_s double precision, workers bigint, children bigint)
LANGUAGE sql STABLE AS $$
	WITH p AS (SELECT p.queue, p.state = 'waiting' AS waits, p.kind,
			count(*) AS n,
			count(*) FILTER (WHERE p.due <= $1) AS due,
			min(p.due) FILTER (WHERE p.due <= $1 AND p.kind <> 'claim') AS due_at,
			min(p.due) FILTER (WHERE p.due <= $1 AND coalesce(p.claimed_until, p.due) <= $1) AS free_at,
			min(p.sent_at) AS sent_at
		FROM jobfleet.pending p WHERE p.created_at <= $1 GROUP BY 1, 2, 3),
	w AS (SELECT p.queue,
			coalesce(sum(n) FILTER (WHERE waits AND kind = 'outbox'), 0) AS outbox,
			coalesce(sum(n) FILTER (WHERE waits AND kind = 'enqueued'), 0) AS enqueued,
			coalesce(sum(n) FILTER (WHERE waits AND kind = 'eta'), 0) AS eta,
			coalesce(sum(n) FILTER (WHERE waits AND kind = 'retry'), 0) AS retry,
			coalesce(sum(n) FILTER (WHERE waits AND kind = 'parked'), 0) AS parked,
			coalesce(sum(n) FILTER (WHERE waits AND kind = 'claim'), 0) AS claimed,
			coalesce(sum(p.due) FILTER (WHERE waits), 0) AS due,
			coalesce(sum(n) FILTER (WHERE NOT waits), 0) AS sent,
			least(min(due_at) FILTER (WHERE waits), min(sent_at) FILTER (WHERE NOT waits)) AS oldest,
			min(free_at) FILTER (WHERE waits) AS free_at
		FROM p GROUP BY 1),
	l AS (SELECT l.queue, count(*) AS n, avg(extract(epoch FROM l.settled_at - l.started_at)) AS mean_s
		FROM jobfleet.ledger l WHERE l.settled_at > $1 - interval '5 minutes' AND l.settled_at <= $1
		GROUP BY 1),
	s AS (SELECT q.queue, count(*) AS workers, sum(r.concurrency) AS children
		FROM jobfleet.workers r CROSS JOIN LATERAL unnest(r.queues) AS q (queue)
		WHERE r.state IN ('running', 'draining') AND r.seen_at > $1 - interval '1 minute'
		GROUP BY 1)
	SELECT q.queue, coalesce(w.outbox, 0)::bigint, coalesce(w.enqueued, 0)::bigint, coalesce(w.eta, 0)::bigint,
		coalesce(w.retry, 0)::bigint, coalesce(w.parked, 0)::bigint, coalesce(w.claimed, 0)::bigint,
		coalesce(w.due, 0)::bigint, coalesce(w.sent, 0)::bigint,
		coalesce(greatest(extract(epoch FROM $1 - w.oldest), 0), 0)::double precision,
		coalesce(greatest(extract(epoch FROM $1 - w.free_at), 0), 0)::double precision,
		coalesce(l.n, 0) / 300.0::double precision, l.mean_s::double precision,
		coalesce(s.workers, 0), coalesce(s.children, 0)::bigint
	FROM (SELECT w.queue FROM w UNION SELECT l.queue FROM l UNION SELECT s.queue FROM s) AS q
	LEFT JOIN w ON w.queue = q.queue LEFT JOIN l ON l.queue = q.queue LEFT JOIN s ON s.queue = q.queue
$$;

-- Of each source that was called in the window, has a quota of today or this month, or a state.
--   calls, failed      in the window; failed: no answer, or one that is to be asked for again
--   success_rate       1 - failed of calls
--   mean_s             response time
--   day_*, month_*     quota: used and allowed (null: no bound) in the period that runs at `at`
--   quota_used         the larger share of the two, null without any bound
--   parked_until       null: not parked at `at`; infinity: until an operator acts
--   reason             why it is parked
--   failures           in a row
--   circuit            'closed'; 'open': held back after repeated failures; 'half_open': one may try
CREATE FUNCTION jobfleet.source_figures(at timestamptz, "window" interval)
RETURNS TABLE (source text, calls bigint, failed bigint, success_rate double precision,
	mean_s double precision, day_used integer, day_allowed integer, month_used integer,
	month_allowed integer, quota_used double precision, parked_until timestamptz, reason text,
	failures integer, circuit text)
LANGUAGE sql STABLE AS $$
	WITH c AS (SELECT c.source, sum(c.calls) AS calls, sum(c.failed) AS failed, sum(c.seconds) AS seconds
		FROM jobfleet.source_calls c WHERE c.minute > $1 - $2 AND c.minute <= $1 GROUP BY 1),
	q AS (SELECT DISTINCT ON (q.source, q.period) q.source, q.period, q.used,
			CASE WHEN q.remaining IS NOT NULL THEN least(q.allowed, q.used + q.remaining)
				ELSE q.allowed END AS allowed
		FROM jobfleet.provider_quota q WHERE q.resets_at > $1 AND q.period_start <= $1::date
		ORDER BY q.source, q.period, q.period_start DESC),
	b AS (SELECT q.source,
			max(q.used) FILTER (WHERE q.period = 'day') AS day_used,
			max(q.allowed) FILTER (WHERE q.period = 'day') AS day_allowed,
			max(q.used) FILTER (WHERE q.period = 'month') AS month_used,
			max(q.allowed) FILTER (WHERE q.period = 'month') AS month_allowed,
			max(q.used::double precision / nullif(q.allowed, 0)) AS used
		FROM q GROUP BY 1)
	SELECT n.source, coalesce(c.calls, 0)::bigint, coalesce(c.failed, 0)::bigint,
		(1 - c.failed / nullif(c.calls, 0))::double precision,
		c.seconds / nullif(c.calls, 0)::double precision,
		b.day_used, b.day_allowed, b.month_used, b.month_allowed, b.used,
		CASE WHEN s.parked_until > $1 THEN s.parked_until END,
		CASE WHEN s.parked_until > $1 THEN s.reason END,
		coalesce(s.failures, 0),
		CASE WHEN s.opened_at IS NULL THEN 'closed'
			WHEN s.opened_at + make_interval(secs => least(600, 60 * 2 ^ least(s.failures - 5, 10))) > $1
			THEN 'open' ELSE 'half_open' END
	FROM (SELECT c.source FROM c UNION SELECT b.source FROM b
		UNION SELECT s.source FROM jobfleet.source_state s) AS n
	LEFT JOIN c ON c.source = n.source LEFT JOIN b ON b.source = n.source
	LEFT JOIN jobfleet.source_state s ON s.source = n.source
$$;

CREATE INDEX IF NOT EXISTS job_processing_log_completed ON public.job_processing_log (completed_at);
CREATE INDEX IF NOT EXISTS job_processing_log_loaded ON public.job_processing_log (loaded_at);

-- Of each stage ('collection', 'processing', 'loading') and source that did something in the window.
-- Demo data counts as any other.
--   runs          answers collected; collections processed; loads
--   items         postings in the answers; processed well; rows loaded (new, changed and repeated ones)
--   errors        answers that could not be used; postings refused; rows that could not be loaded
--   seconds       the stage's time, summed: response times; processing; writing (indexes are written
--                 with their rows, so that is the index update time too; null before it was recorded)
--   inserts       loading only: new postings
--   duplicates    found within the answer (processing), or known already (loading)
--   waiting       what waits at `at` for the stage, of any age: answers not processed, postings not loaded
--   oldest_s      age of the oldest of those; 0 = none
CREATE FUNCTION jobfleet.stage_figures(at timestamptz, "window" interval)
RETURNS TABLE (stage text, source text, runs bigint, items bigint, errors bigint, seconds double precision,
	inserts bigint, duplicates bigint, waiting bigint, oldest_s double precision)
LANGUAGE sql STABLE AS $$
	WITH did AS (
		SELECT 'collection' AS stage, c.api_provider::text AS source, count(*) AS runs,
			sum((c.metadata ->> 'job_count')::double precision) AS items,
			count(*) FILTER (WHERE c.processing_status = 'failed') AS errors,
			sum((c.metadata ->> 'response_time_ms')::double precision) / 1000 AS seconds,
			NULL::bigint AS inserts, NULL::bigint AS duplicates
		FROM public.raw_job_collections c WHERE c.timestamp > $1 - $2 AND c.timestamp <= $1 GROUP BY 2
		UNION ALL
		SELECT 'processing', coalesce(c.api_provider, '')::text, count(*), sum(l.jobs_processed),
			sum(l.jobs_failed), sum((l.metrics ->> 'processing_time_ms')::double precision) / 1000, NULL,
			sum((l.metrics ->> 'duplicates_within')::double precision)::bigint
		FROM public.job_processing_log l LEFT JOIN public.raw_job_collections c USING (collection_id)
		WHERE l.completed_at > $1 - $2 AND l.completed_at <= $1 GROUP BY 2
		UNION ALL
		SELECT 'loading', coalesce(c.api_provider, '')::text, count(*), sum(l.jobs_loaded + l.jobs_merged),
			sum((l.metrics ->> 'load_failed')::double precision),
			sum((l.metrics ->> 'write_time_ms')::double precision) / 1000,
			sum(l.jobs_loaded), sum(l.jobs_merged)
		FROM public.job_processing_log l LEFT JOIN public.raw_job_collections c USING (collection_id)
		WHERE l.loaded_at > $1 - $2 AND l.loaded_at <= $1 GROUP BY 2),
	waits AS (
		SELECT 'processing' AS stage, c.api_provider::text AS source, count(*) AS n, min(c.timestamp) AS oldest
		FROM public.raw_job_collections c
		WHERE c.processing_status IN ('pending', 'processing') AND c.timestamp <= $1 GROUP BY 2
		UNION ALL
		SELECT 'loading', coalesce(c.api_provider, '')::text, count(*), min(p.created_at)
		FROM public.processed_job_data p JOIN public.job_processing_log l USING (processing_id)
		LEFT JOIN public.raw_job_collections c USING (collection_id)
		WHERE p.load_status = 'pending' AND p.created_at <= $1 GROUP BY 2)
	SELECT coalesce(d.stage, w.stage), coalesce(d.source, w.source), coalesce(d.runs, 0)::bigint,
		coalesce(d.items, 0)::bigint, coalesce(d.errors, 0)::bigint, d.seconds,
		d.inserts::bigint, d.duplicates::bigint, coalesce(w.n, 0)::bigint,
		coalesce(extract(epoch FROM $1 - w.oldest), 0)::double precision
	FROM did d FULL JOIN waits w ON w.stage = d.stage AND w.source = d.source
$$;

-- Data quality of what was processed and loaded in the window: a row for each source, and one with
-- source null for all of them together (always there).
--   processed, refused      postings; refused: validation errors
--   error_rate              refused of both
--   completeness, consistency, duplicates   shares, as processing found them (weighted by postings)
--   issues                  {"no_date": 3, …}: what was wrong or missing, over the window
--   quality_score           mean of the postings written in the window, of at most the newest 10,000
--   postings                how many of those were looked at
CREATE FUNCTION jobfleet.quality_figures(at timestamptz, "window" interval)
RETURNS TABLE (source text, processed bigint, refused bigint, error_rate double precision,
	completeness double precision, consistency double precision, duplicates double precision,
	issues jsonb, quality_score double precision, postings bigint)
LANGUAGE sql STABLE AS $$
	WITH logs AS MATERIALIZED (SELECT coalesce(c.api_provider, '')::text AS source, l.jobs_processed AS n,
			l.jobs_failed AS refused, l.metrics
		FROM public.job_processing_log l LEFT JOIN public.raw_job_collections c USING (collection_id)
		WHERE l.completed_at > $1 - $2 AND l.completed_at <= $1),
	figures AS (SELECT logs.source, grouping(logs.source) AS whole, sum(n) AS n, sum(refused) AS refused,
			sum(n * (metrics ->> 'completeness')::double precision) AS complete,
			sum(n * (metrics ->> 'consistency')::double precision) AS consistent,
			sum((metrics ->> 'duplicates_within')::double precision) AS repeated
		FROM logs GROUP BY GROUPING SETS ((logs.source), ())),
	counts AS (SELECT logs.source, i.key, sum(i.value::bigint) AS n
		FROM logs CROSS JOIN LATERAL jsonb_each_text(coalesce(metrics -> 'issues', '{}')) AS i GROUP BY 1, 2),
	issues AS (SELECT c.source, 0 AS whole, jsonb_object_agg(c.key, c.n) AS issues FROM counts c GROUP BY 1
		UNION ALL SELECT NULL, 1, jsonb_object_agg(a.key, a.n)
		FROM (SELECT c.key, sum(c.n) AS n FROM counts c GROUP BY 1) AS a),
	newest AS (SELECT j.api_provider::text AS source, j.quality_score FROM public.enhanced_jobs j
		WHERE j.status = 'active' AND j.last_seen > $1 - $2 AND j.last_seen <= $1
		ORDER BY j.last_seen DESC LIMIT 10000),
	scores AS (SELECT newest.source, grouping(newest.source) AS whole,
			avg(newest.quality_score)::double precision AS score, count(*) AS n
		FROM newest GROUP BY GROUPING SETS ((newest.source), ()))
	SELECT coalesce(f.source, s.source), coalesce(f.n, 0)::bigint, coalesce(f.refused, 0)::bigint,
		f.refused::double precision / nullif(f.n + f.refused, 0),
		f.complete / nullif(f.n, 0), f.consistent / nullif(f.n, 0), f.repeated / nullif(f.n, 0),
		coalesce(i.issues, '{}'), s.score, coalesce(s.n, 0)
	FROM figures f FULL JOIN scores s ON s.whole = f.whole AND s.source IS NOT DISTINCT FROM f.source
	LEFT JOIN issues i ON i.whole = f.whole AND i.source IS NOT DISTINCT FROM f.source
$$;

-- How many of the newest 10,000 active postings of the window have each field, as a share.
CREATE FUNCTION jobfleet.field_figures(at timestamptz, "window" interval)
RETURNS TABLE (field text, share double precision) LANGUAGE sql STABLE AS $$
	WITH newest AS (SELECT j.* FROM public.enhanced_jobs j
		WHERE j.status = 'active' AND j.last_seen > $1 - $2 AND j.last_seen <= $1
		ORDER BY j.last_seen DESC LIMIT 10000)
	SELECT f.field, avg(f.there::int)::double precision FROM newest j CROSS JOIN LATERAL (VALUES
		('company', coalesce(j.company, '') <> ''), ('city', coalesce(j.city, '') <> ''),
		('country', j.country IS NOT NULL), ('description', j.description <> ''),
		('salary', j.salary_min IS NOT NULL OR j.salary_max IS NOT NULL),
		('posted_at', j.posted_at IS NOT NULL), ('apply_url', coalesce(j.apply_url, '') <> ''),
		('employment_types', cardinality(j.employment_types) > 0), ('skills', cardinality(j.skills) > 0),
		('seniority', j.seniority <> 'unknown'), ('education', j.education IS NOT NULL)) AS f (field, there)
	GROUP BY 1
$$;

-- ---- waits ----

-- When the attempt was sent to its queue, where that is known: it went through jobfleet.pending. With
-- started_at it is how long it waited there. Written with the row (common/store/ledger.c).
ALTER TABLE jobfleet.ledger ADD COLUMN sent_at timestamptz;
COMMENT ON COLUMN jobfleet.ledger.sent_at IS 'when it was sent to its queue; null: not known';
