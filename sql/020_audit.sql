-- SPDX-License-Identifier: MIT
-- Accounts: what was accepted and where it is now, and what the watching of the dispatchers needs.
--
-- Every function here that asks for the time takes it as a parameter (at).

-- What is open: the newest row of each task, unless the task has ended or stands in the dead letters.
CREATE VIEW jobfleet.open_tasks AS
	SELECT DISTINCT ON (p.task_id) p.id, p.task_id, p.generation, p.nesting, p.retries, p.hop, p.kind, p.task,
		p.queue, p.due, p.state, p.claimed_until, p.attempts, p.reason, p.created_at, p.sent_at
	FROM jobfleet.pending p
	WHERE NOT EXISTS (SELECT FROM jobfleet.ledger l
			WHERE l.task_id = p.task_id AND l.generation >= p.generation AND l.final)
		AND NOT EXISTS (SELECT FROM jobfleet.dead_letters d
			WHERE d.task_id = p.task_id AND d.generation >= p.generation)
	ORDER BY p.task_id, p.generation DESC, p.nesting DESC, p.retries DESC, p.hop DESC;

-- What live workers say that they hold: running, or in their buffers. A worker is live for three
-- heartbeats after a report.
CREATE FUNCTION jobfleet.worker_holds(at timestamptz, heartbeat_s integer)
RETURNS TABLE (task_id text, runs boolean) LANGUAGE sql STABLE AS $$
	WITH live AS (SELECT w.info FROM jobfleet.workers w
		WHERE w.state <> 'stopped' AND w.program <> 'dispatcher' AND w.seen_at > $1 - $2 * interval '3 s')
	SELECT h.id, bool_or(h.runs) FROM (
		SELECT a ->> 'id' AS id, true AS runs FROM live, jsonb_array_elements(CASE
			WHEN jsonb_typeof(info -> 'active') = 'array' THEN info -> 'active' ELSE '[]' END) a
		UNION ALL
		SELECT r, false FROM live, jsonb_array_elements_text(CASE
			WHEN jsonb_typeof(info -> 'reserved') = 'array' THEN info -> 'reserved' ELSE '[]' END) r) h
	GROUP BY h.id
$$;

-- Tasks that keep no ledger: whether one of them has run, nobody can tell from the tables.
CREATE FUNCTION jobfleet.loose_tasks() RETURNS TABLE (task text) LANGUAGE sql STABLE AS $$
	SELECT DISTINCT t FROM jobfleet.workers w, jsonb_array_elements_text(CASE
		WHEN jsonb_typeof(w.info -> 'loose') = 'array' THEN w.info -> 'loose' ELSE '[]' END) t
$$;

CREATE FUNCTION jobfleet.task_matches(task text, wanted text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT $2 IS NULL OR $1 = $2 OR right($1, length($2) + 1) = '.' || $2
$$;

-- How many tasks are where, by queue (null: not known). Every task is counted once. Places:
--   done failed revoked   by the ledger, of the latest generation
--   dead                  an open dead letter
--   waiting               due, or until somebody releases it
--   scheduled             due later: eta, retry, rate
--   running delivered     a live worker says so, or a claim of a long task says it
--   loose                 sent, and of a task that keeps no ledger
--   replaced              handed on: to a chord's body, or to a worker that keeps no ledger
--   sent                  with RabbitMQ, as far as PostgreSQL knows
-- since: accepted (or, of what has ended, ended) then or later; task: a name or its last part.
CREATE FUNCTION jobfleet.audit_places(at timestamptz, heartbeat_s integer, since timestamptz DEFAULT NULL,
	task text DEFAULT NULL, queue text DEFAULT NULL)
RETURNS TABLE (place text, queue text, n bigint) LANGUAGE sql STABLE AS $$
	WITH held AS MATERIALIZED (SELECT * FROM jobfleet.worker_holds($1, $2)),
	open AS MATERIALIZED (SELECT * FROM jobfleet.open_tasks),
	loose AS MATERIALIZED (SELECT * FROM jobfleet.loose_tasks()),
	letters AS MATERIALIZED (SELECT d.task_id, max(d.generation) AS generation FROM jobfleet.dead_letters d
		WHERE d.state = 'dead' AND d.task_id IS NOT NULL GROUP BY 1),
	again AS MATERIALIZED (SELECT l.task_id, max(l.generation) AS generation FROM jobfleet.ledger l
		WHERE l.generation > 0 AND l.final GROUP BY 1),
	ended AS (SELECT l.task_id, l.queue, l.outcome FROM jobfleet.ledger l
		WHERE l.final AND ($3 IS NULL OR l.settled_at >= $3) AND jobfleet.task_matches(l.task, $4)
			AND ($5 IS NULL OR l.queue = $5)
			AND NOT EXISTS (SELECT FROM again a WHERE a.task_id = l.task_id AND a.generation > l.generation)
			AND NOT EXISTS (SELECT FROM open o WHERE o.task_id = l.task_id AND o.generation > l.generation)
			AND (l.outcome NOT IN ('failure', 'rejected') OR NOT EXISTS (SELECT FROM letters d
				WHERE d.task_id = l.task_id AND d.generation >= l.generation)))
	SELECT CASE WHEN e.outcome IN ('success', 'ignored') THEN 'done' WHEN e.outcome = 'revoked' THEN 'revoked'
		ELSE 'failed' END, e.queue, count(*) FROM ended e GROUP BY 1, 2
	UNION ALL
	SELECT 'dead', d.queue, count(DISTINCT coalesce(d.task_id, 'letter ' || d.id)) FROM jobfleet.dead_letters d
	WHERE d.state = 'dead' AND ($3 IS NULL OR d.died_at >= $3)
		AND ($4 IS NULL OR jobfleet.task_matches(d.task, $4)) AND ($5 IS NULL OR d.queue = $5)
		AND NOT EXISTS (SELECT FROM jobfleet.ledger l WHERE l.task_id = d.task_id AND l.final
			AND l.generation >= d.generation AND l.outcome IN ('success', 'ignored', 'revoked'))
	GROUP BY 2
	UNION ALL
	SELECT CASE
		WHEN h.runs OR o.state = 'waiting' AND o.kind = 'claim' AND o.due > $1 THEN 'running'
		WHEN h.task_id IS NOT NULL THEN 'delivered'
		WHEN o.state = 'waiting' AND o.due > $1 AND o.due < 'infinity' THEN 'scheduled'
		WHEN o.state = 'waiting' THEN 'waiting'
		WHEN o.task IN (SELECT l.task FROM loose l) THEN 'loose'
		ELSE 'sent' END, o.queue, count(*)
	FROM open o LEFT JOIN held h ON h.task_id = o.task_id
	WHERE ($3 IS NULL OR o.created_at >= $3) AND jobfleet.task_matches(o.task, $4)
		AND ($5 IS NULL OR o.queue = $5)
	GROUP BY 1, 2
	UNION ALL
	SELECT 'replaced', r.queue, count(*) FROM (SELECT DISTINCT ON (l.task_id) l.* FROM jobfleet.ledger l
		WHERE l.outcome = 'replaced' ORDER BY l.task_id, l.generation DESC, l.nesting DESC) r
	WHERE ($3 IS NULL OR r.settled_at >= $3) AND jobfleet.task_matches(r.task, $4)
		AND ($5 IS NULL OR r.queue = $5)
		AND NOT EXISTS (SELECT FROM jobfleet.ledger l WHERE l.task_id = r.task_id AND l.final
			AND l.generation >= r.generation)
		AND NOT EXISTS (SELECT FROM open o WHERE o.task_id = r.task_id)
		AND NOT EXISTS (SELECT FROM letters d WHERE d.task_id = r.task_id AND d.generation >= r.generation)
		AND NOT EXISTS (SELECT FROM held h WHERE h.task_id = r.task_id)
	GROUP BY 2
	UNION ALL
	-- what came to a worker from elsewhere, without a row of ours
	SELECT CASE WHEN h.runs THEN 'running' ELSE 'delivered' END, NULL, count(*) FROM held h
	WHERE $4 IS NULL AND $5 IS NULL AND NOT EXISTS (SELECT FROM open o WHERE o.task_id = h.task_id)
		AND NOT EXISTS (SELECT FROM jobfleet.ledger l WHERE l.task_id = h.task_id AND l.final)
	GROUP BY 1
$$;

-- Rows that were sent to these queues and that nobody holds: their messages lie in RabbitMQ, or are
-- lost. only: of these ids alone, for a second look. The oldest first.
CREATE FUNCTION jobfleet.audit_sent(at timestamptz, heartbeat_s integer, queues text[],
	since timestamptz DEFAULT NULL, task text DEFAULT NULL, only_ids text[] DEFAULT NULL,
	most integer DEFAULT 100000)
RETURNS TABLE (pending_id bigint, task_id text, task text, queue text, accepted_at timestamptz, sent_at timestamptz,
	attempts integer) LANGUAGE sql STABLE AS $$
	WITH held AS MATERIALIZED (SELECT * FROM jobfleet.worker_holds($1, $2)),
	loose AS MATERIALIZED (SELECT * FROM jobfleet.loose_tasks())
	SELECT o.id, o.task_id, o.task, o.queue, o.created_at, o.sent_at, o.attempts FROM jobfleet.open_tasks o
	WHERE o.state = 'sent' AND o.queue = ANY($3) AND ($4 IS NULL OR o.created_at >= $4)
		AND jobfleet.task_matches(o.task, $5) AND ($6 IS NULL OR o.task_id = ANY($6))
		AND o.task NOT IN (SELECT l.task FROM loose l)
		AND NOT EXISTS (SELECT FROM held h WHERE h.task_id = o.task_id)
	ORDER BY o.sent_at LIMIT $7
$$;

-- Tasks that left a trace and are nowhere. kind: retry (its next attempt is stored nowhere), fire (of
-- a schedule, without any trace since), start (it came to a worker, did not end, and no row keeps it: a
-- message that another client sent; it may lie in a queue). Fires younger than a minute are left
-- out, and so are schedules of tasks that keep no ledger.
CREATE FUNCTION jobfleet.audit_strays(at timestamptz, heartbeat_s integer, since timestamptz DEFAULT NULL,
	task text DEFAULT NULL, queue text DEFAULT NULL, only_ids text[] DEFAULT NULL, most integer DEFAULT 100000)
RETURNS TABLE (kind text, task_id text, task text, queue text, accepted_at timestamptz, seen text)
LANGUAGE sql STABLE AS $$
	WITH held AS MATERIALIZED (SELECT * FROM jobfleet.worker_holds($1, $2)),
	loose AS MATERIALIZED (SELECT * FROM jobfleet.loose_tasks()),
	retries AS (SELECT DISTINCT ON (l.task_id) 'retry' AS kind, l.task_id, l.task, l.queue, l.started_at AS at,
			format('attempt %s ended on %s at %s UTC with a retry', l.retries + 1, l.node,
				to_char(l.settled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')) AS seen, l.generation
		FROM jobfleet.ledger l WHERE l.outcome = 'retry' AND NOT EXISTS (SELECT FROM jobfleet.ledger n
			WHERE n.task_id = l.task_id AND (n.generation > l.generation OR n.generation = l.generation
				AND (n.final OR (n.nesting, n.retries) > (l.nesting, l.retries))))
			AND NOT EXISTS (SELECT FROM jobfleet.pending p WHERE p.task_id = l.task_id
				AND (p.generation, p.nesting, p.retries) > (l.generation, l.nesting, l.retries))
		ORDER BY l.task_id, l.generation DESC, l.nesting DESC, l.retries DESC),
	fires AS (SELECT 'fire' AS kind, f.task_id, f.task, NULL AS queue, f.fired_at AS at,
			format('fired by schedule %s, due %s UTC', f.schedule,
				to_char(f.due AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')) AS seen, 0 AS generation
		FROM jobfleet.schedule_fires f WHERE f.ended_at IS NULL AND NOT f.held AND f.replaced_by IS NULL
			AND f.fired_at > $1 - interval '7 days' AND f.fired_at < $1 - interval '1 minute'
			AND f.task NOT IN (SELECT l.task FROM loose l)
			AND NOT EXISTS (SELECT FROM jobfleet.pending p WHERE p.task_id = f.task_id)
			AND NOT EXISTS (SELECT FROM jobfleet.ledger l WHERE l.task_id = f.task_id)),
	starts AS (SELECT 'start' AS kind, s.task_id, NULL AS task, NULL AS queue, s.updated_at AS at,
			format('%s starts did not end, %s times it came back unstarted, last at %s UTC', s.starts,
				s.arrivals, to_char(s.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')) AS seen,
			s.generation
		FROM jobfleet.starts s
		WHERE NOT EXISTS (SELECT FROM jobfleet.pending p WHERE p.task_id = s.task_id)
			AND NOT EXISTS (SELECT FROM jobfleet.ledger l WHERE l.task_id = s.task_id
				AND (l.final OR l.outcome IN ('retry', 'replaced'))))
	SELECT x.kind, x.task_id, x.task, x.queue, x.at, x.seen
	FROM (SELECT * FROM retries UNION ALL SELECT * FROM fires UNION ALL SELECT * FROM starts) x
	WHERE ($3 IS NULL OR x.at >= $3) AND ($4 IS NULL OR jobfleet.task_matches(x.task, $4))
		AND ($5 IS NULL OR x.queue = $5) AND ($6 IS NULL OR x.task_id = ANY($6))
		AND NOT EXISTS (SELECT FROM held h WHERE h.task_id = x.task_id)
		AND NOT EXISTS (SELECT FROM jobfleet.dead_letters d WHERE d.task_id = x.task_id
			AND d.generation >= x.generation)
	ORDER BY x.at LIMIT $7
$$;

-- Those of ids that PostgreSQL knows no end of: neither in the ledger nor in the dead letters.
CREATE FUNCTION jobfleet.audit_unrecorded(ids text[]) RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT i FROM unnest($1) i
	WHERE NOT EXISTS (SELECT FROM jobfleet.ledger l WHERE l.task_id = i)
		AND NOT EXISTS (SELECT FROM jobfleet.dead_letters d WHERE d.task_id = i)
$$;

-- What the dispatchers count up here and remember in Redis: a number lower than the one remembered says
-- that the database was put back to an earlier state.
CREATE TABLE jobfleet.marks (
	name text PRIMARY KEY,
	n    bigint NOT NULL DEFAULT 0,
	at   timestamptz NOT NULL DEFAULT now()
);
INSERT INTO jobfleet.marks (name) VALUES ('database');

-- Each time that was seen: what happened between stood_at and lost_until is not in the database any
-- more, though messages, results and the world outside remember it.
CREATE TABLE jobfleet.put_backs (
	seen_at    timestamptz PRIMARY KEY DEFAULT clock_timestamp(),
	stood_at   timestamptz NOT NULL,
	lost_until timestamptz NOT NULL
);

-- ---- Order ----

-- Rows of one order key leave one after the other, in the order of their ids; null: no order is asked
-- for. One that is held up holds up only those of its key.
ALTER TABLE jobfleet.pending ADD COLUMN order_key text;
CREATE INDEX pending_order ON jobfleet.pending (order_key, id) WHERE order_key IS NOT NULL AND state = 'waiting';

DROP FUNCTION jobfleet.enqueue(text, jsonb, jsonb, text, integer, interval, timestamptz, timestamptz, text, jsonb,
	text, interval, text);

-- Enqueues a task inside the caller's transaction: it is published if and only if that commits.
-- Returns the task's id. queue: needed only for a task that queues.conf does not route.
-- unique_key: at most one such task of this name waits or runs, until its end or unique_for has
-- passed (at most 7 days). unique_mode: reject returns NULL and enqueues nothing while the key is
-- held (a NOTICE names the holder); replace revokes the holder unless it runs already; throttle is
-- reject for the whole of unique_for, however soon the holder ends.
-- order_key: of one key the tasks leave for the broker one after the other, in the order of their
-- enqueues: each when the one before it is confirmed. Transactions that enqueue with one key wait for
-- each other.
CREATE FUNCTION jobfleet.enqueue(
	task text, args jsonb DEFAULT '[]', kwargs jsonb DEFAULT '{}', queue text DEFAULT NULL,
	priority integer DEFAULT NULL, countdown interval DEFAULT NULL, eta timestamptz DEFAULT NULL,
	expires timestamptz DEFAULT NULL, task_id text DEFAULT NULL, headers jsonb DEFAULT '{}',
	unique_key text DEFAULT NULL, unique_for interval DEFAULT NULL, unique_mode text DEFAULT 'reject',
	order_key text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	id  text := coalesce(enqueue.task_id, gen_random_uuid()::text);
	q   text := enqueue.queue;
	p   integer := enqueue.priority;
	due timestamptz := coalesce(enqueue.eta, clock_timestamp() + coalesce(enqueue.countdown, '0'));
	holder text;
BEGIN
	IF coalesce(enqueue.task, '') = '' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'jobfleet.enqueue: task must name a task';
	ELSIF jsonb_typeof(enqueue.args) IS DISTINCT FROM 'array' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'jobfleet.enqueue: args must be a JSON array';
	ELSIF jsonb_typeof(enqueue.kwargs) IS DISTINCT FROM 'object' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'jobfleet.enqueue: kwargs must be a JSON object';
	ELSIF jsonb_typeof(enqueue.headers) IS DISTINCT FROM 'object' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'jobfleet.enqueue: headers must be a JSON object';
	ELSIF p NOT BETWEEN 0 AND 9 THEN
		RAISE invalid_parameter_value USING MESSAGE = format('jobfleet.enqueue: priority %s is not 0 to 9', p);
	ELSIF octet_length(enqueue.args::text) + octet_length(enqueue.kwargs::text) > 16 * 1024 * 1024 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'jobfleet.enqueue: args and kwargs are larger than 16 MiB';
	END IF;
	IF q IS NULL OR p IS NULL THEN
		SELECT coalesce(q, r.queue), coalesce(p, r.priority) INTO q, p
		FROM (SELECT 1) AS one LEFT JOIN jobfleet.routes r ON r.task = enqueue.task;
	END IF;
	IF q IS NULL THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('jobfleet.enqueue: no queue is known for task %s', enqueue.task),
			HINT = 'Name one (queue => ''…''), or add a task block to queues.conf.';
	END IF;
	IF length(enqueue.order_key) NOT BETWEEN 1 AND 512 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'jobfleet.enqueue: order_key must have 1 to 512 letters';
	ELSIF enqueue.order_key IS NOT NULL THEN	-- ids in the order of the commits
		PERFORM pg_advisory_xact_lock(hashtext('jobfleet.order_key'), hashtext(enqueue.order_key));
	END IF;
	IF enqueue.unique_key IS NOT NULL THEN
		holder := jobfleet.unique_take(enqueue.task, id, enqueue.unique_key, enqueue.unique_for,
			coalesce(enqueue.unique_mode, 'reject'));
		IF holder IS NOT NULL AND enqueue.unique_mode = 'replace' THEN
			-- Without a number: the lock that orders them must not last as long as the caller's work.
			INSERT INTO jobfleet.revokes (kind, value, ordered_by, seq)
			VALUES ('id', holder, 'replaced by ' || id, NULL) ON CONFLICT DO NOTHING;
		ELSIF holder IS NOT NULL THEN
			RAISE NOTICE 'jobfleet.enqueue: duplicate of %', holder;
			RETURN NULL;
		END IF;
	END IF;
	INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, priority, due, order_key)
	VALUES (id, 'enqueued', enqueue.task, q,
		jsonb_build_object('timelimit', jsonb_build_array(NULL, NULL)) || enqueue.headers
		|| jsonb_build_object('lang', 'sql', 'task', enqueue.task, 'id', id,
			'root_id', id, 'parent_id', NULL, 'group', NULL, 'retries', 0,
			'argsrepr', left(enqueue.args::text, 1024), 'kwargsrepr', left(enqueue.kwargs::text, 1024),
			'origin', 'sql@' || current_database(), 'eta', to_jsonb(enqueue.eta),
			'expires', to_jsonb(enqueue.expires)),
		convert_to(format('[%s, %s, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]',
			enqueue.args, enqueue.kwargs), 'UTF8'), p, due, enqueue.order_key)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE unique_violation USING MESSAGE = format('jobfleet.enqueue: task %s is enqueued already', id);
	END IF;
	NOTIFY jobfleet_pending;
	RETURN id;
END $$;

-- ---- Watching ----

-- claims of long tasks, few among all that waits: one whose end lies too far ahead is looked for
CREATE INDEX pending_claim ON jobfleet.pending (due) WHERE state = 'waiting' AND kind = 'claim';

-- Counts the mark of the database up by one, and over remembered. put_back: remembered is more than
-- the database knows of, so it was put back to where it stood at stood_at.
CREATE FUNCTION jobfleet.count_mark(at timestamptz, remembered bigint, remembered_at timestamptz,
	OUT n bigint, OUT stood_at timestamptz, OUT put_back boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT m.n, m.at INTO n, stood_at FROM jobfleet.marks m WHERE m.name = 'database' FOR UPDATE;
	put_back := n < count_mark.remembered;
	IF put_back THEN
		INSERT INTO jobfleet.put_backs (stood_at, lost_until)
		VALUES (count_mark.stood_at, greatest(count_mark.remembered_at, count_mark.stood_at));
	END IF;
	n := greatest(n, coalesce(count_mark.remembered, 0)) + 1;
	UPDATE jobfleet.marks m SET n = count_mark.n, at = count_mark.at WHERE m.name = 'database';
END $$;

-- The ids (of the uuid form) that stand in the arguments of what is open of a task.
CREATE FUNCTION jobfleet.open_arguments(task text) RETURNS TABLE (id text) LANGUAGE sql STABLE AS $$
	SELECT DISTINCT m[1] FROM jobfleet.pending p, regexp_matches(convert_from(p.body, 'SQL_ASCII'),
		'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g') m WHERE p.task = $1
$$;

-- Stages of the pipeline whose task ended or is nowhere: answers and postings that wait, for `after`
-- or longer and for at most a week, without a task that would take them on, are given one (at most one
-- an hour each); what claims to be in work, and is not, is set right. What stands in the dead letters
-- is left to whoever replays it; what is locked is in work. Returns what was done to what.
CREATE FUNCTION jobfleet.mend_stuck(at timestamptz, after interval, most integer)
RETURNS TABLE (what text, subject text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x record;
BEGIN
	IF NOT EXISTS (SELECT FROM public.raw_job_collections c WHERE c.processing_status IN ('pending', 'processing')
			AND c.created_at BETWEEN mend_stuck.at - interval '7 days' AND mend_stuck.at - mend_stuck.after)
		AND NOT EXISTS (SELECT FROM public.processed_job_data d WHERE d.load_status = 'pending'
			AND d.created_at BETWEEN mend_stuck.at - interval '7 days' AND mend_stuck.at - mend_stuck.after)
		AND NOT EXISTS (SELECT FROM public.job_processing_log l WHERE l.status IN ('pending', 'processing')
			AND l.started_at BETWEEN mend_stuck.at - interval '7 days' AND mend_stuck.at - mend_stuck.after)
	THEN
		RETURN;
	END IF;
	FOR x IN WITH open AS MATERIALIZED (SELECT o.id FROM jobfleet.open_arguments('jobfleet.process_collection') o),
		dead AS MATERIALIZED (SELECT d.body FROM jobfleet.dead_letters d
			WHERE d.state = 'dead' AND d.task = 'jobfleet.process_collection')
		SELECT c.collection_id, c.processing_status FROM public.raw_job_collections c
		WHERE c.processing_status IN ('pending', 'processing')
			AND c.created_at BETWEEN mend_stuck.at - interval '7 days' AND mend_stuck.at - mend_stuck.after
			AND NOT EXISTS (SELECT FROM open o WHERE o.id = c.collection_id::text)
			AND NOT EXISTS (SELECT FROM dead d
				WHERE position(convert_to(c.collection_id::text, 'UTF8') IN d.body) > 0)
			AND NOT EXISTS (SELECT FROM jobfleet.unique_keys u WHERE u.expires_at > mend_stuck.at
				AND u.key = 'jobfleet.process_collection/stuck ' || c.collection_id)
		ORDER BY c.timestamp LIMIT mend_stuck.most FOR UPDATE OF c SKIP LOCKED
	LOOP
		CONTINUE WHEN jobfleet.enqueue('jobfleet.process_collection', queue => 'raw_data_processing',
			args => jsonb_build_array(x.collection_id), unique_key => 'stuck ' || x.collection_id,
			unique_for => '1 hour', unique_mode => 'throttle') IS NULL;
		UPDATE public.raw_job_collections c SET processing_status = 'pending'
		WHERE c.collection_id = x.collection_id AND c.processing_status = 'processing';
		what := 'collection';
		subject := x.collection_id;
		RETURN NEXT;
	END LOOP;
	FOR x IN WITH open AS MATERIALIZED (SELECT o.id FROM jobfleet.open_arguments('jobfleet.load_processed') o),
		dead AS MATERIALIZED (SELECT d.body FROM jobfleet.dead_letters d
			WHERE d.state = 'dead' AND d.task = 'jobfleet.load_processed')
		SELECT l.processing_id FROM public.job_processing_log l
		WHERE l.processing_id IN (SELECT d.processing_id FROM public.processed_job_data d
				WHERE d.load_status = 'pending' AND d.created_at
					BETWEEN mend_stuck.at - interval '7 days' AND mend_stuck.at - mend_stuck.after)
			AND NOT EXISTS (SELECT FROM open o WHERE o.id = l.processing_id::text)
			AND NOT EXISTS (SELECT FROM dead d
				WHERE position(convert_to(l.processing_id::text, 'UTF8') IN d.body) > 0)
			AND NOT EXISTS (SELECT FROM jobfleet.unique_keys u WHERE u.expires_at > mend_stuck.at
				AND u.key = 'jobfleet.load_processed/stuck ' || l.processing_id)
		ORDER BY l.started_at LIMIT mend_stuck.most FOR UPDATE OF l SKIP LOCKED
	LOOP
		CONTINUE WHEN jobfleet.enqueue('jobfleet.load_processed', queue => 'processed_data_loading',
			args => jsonb_build_array(x.processing_id), unique_key => 'stuck ' || x.processing_id,
			unique_for => '1 hour', unique_mode => 'throttle') IS NULL;
		what := 'load';
		subject := x.processing_id;
		RETURN NEXT;
	END LOOP;
	-- a run that ends commits its row as ended; one that stands open was broken off
	RETURN QUERY WITH broken AS (SELECT l.processing_id FROM public.job_processing_log l
			WHERE l.status IN ('pending', 'processing') AND l.started_at
				BETWEEN mend_stuck.at - interval '7 days' AND mend_stuck.at - mend_stuck.after
				AND NOT EXISTS (SELECT FROM jobfleet.open_arguments('jobfleet.process_collection') o
					WHERE o.id = l.collection_id::text)
			ORDER BY l.started_at LIMIT mend_stuck.most FOR UPDATE SKIP LOCKED)
		UPDATE public.job_processing_log l SET status = 'failed', completed_at = mend_stuck.at FROM broken b
		WHERE l.processing_id = b.processing_id RETURNING 'processing run'::text, l.processing_id::text;
END $$;

-- Takes an alert back. True: it was open.
CREATE FUNCTION jobfleet.settle_alert(name text, subject text) RETURNS boolean LANGUAGE sql AS $$
	WITH gone AS (UPDATE jobfleet.alerts a SET resolved_at = now()
		WHERE a.name = $1 AND a.subject = $2 AND a.resolved_at IS NULL RETURNING 1)
	SELECT EXISTS (SELECT FROM gone)
$$;

-- ---- The drill (workers/drill, `jobfleet drill`, tests/drill) ----------------------------------
-- Jepsen's total-queue accounting: an intent is written before anything is enqueued, an effect by
-- the task's transaction, and whoever checks compares the two. Nothing here keeps an effect from
-- happening twice: there is no unique key to collide with.

CREATE TABLE jobfleet.drill_runs (
	run              text PRIMARY KEY,
	seed             bigint NOT NULL,
	mixture          text NOT NULL,
	started_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
	queue_deleted_at timestamptz,   -- what a deleted queue held until then is counted apart
	results_since    timestamptz    -- results stored before went with a Redis that was emptied
);

CREATE TABLE jobfleet.drill_intents (
	run         text NOT NULL REFERENCES jobfleet.drill_runs ON DELETE CASCADE,
	number      integer NOT NULL,
	task_id     text NOT NULL,
	kind        text NOT NULL,
	n           integer NOT NULL,
	-- broker and sql are ours; a foreign client publishes with confirms or without
	door        text NOT NULL CHECK (door IN ('broker', 'sql', 'confirmed', 'unconfirmed')),
	due         timestamptz,        -- must not happen before
	at          timestamptz NOT NULL DEFAULT clock_timestamp(),
	answer      text CHECK (answer IN ('confirmed', 'spooled', 'rejected')),
	answered_at timestamptz,
	PRIMARY KEY (run, number)
);
CREATE INDEX drill_intents_task ON jobfleet.drill_intents (task_id);

-- Each start of a handler, in a transaction of its own: what was delivered twice shows here.
CREATE TABLE jobfleet.drill_begins (
	run     text NOT NULL,
	root    text NOT NULL,
	part    text NOT NULL,
	task_id text NOT NULL,
	retries integer NOT NULL,
	pid     integer NOT NULL,
	at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX drill_begins_run ON jobfleet.drill_begins (run, root);

CREATE TABLE jobfleet.drill_effects (
	run     text NOT NULL,
	root    text NOT NULL,
	part    text NOT NULL,
	value   bigint NOT NULL,
	task_id text NOT NULL,
	retries integer NOT NULL,
	pid     integer NOT NULL,
	at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX drill_effects_run ON jobfleet.drill_effects (run, root);

-- What tests/drill did to the fleet meanwhile.
CREATE TABLE jobfleet.drill_injections (
	run        text NOT NULL,
	number     integer NOT NULL,
	what       text NOT NULL,
	pids       integer[] NOT NULL DEFAULT '{}',   -- the processes that it killed
	at         timestamptz NOT NULL,
	over_at    timestamptz,                       -- the cause is gone
	healthy_at timestamptz,                       -- a task enqueued after that has come back
	PRIMARY KEY (run, number)
);

-- The effects that a task of this kind and size leaves, each once and with this value. The value of
-- a link or a sum is made of what the tasks before it returned, so it also tells their order.
-- links, members and sum are a foreign client's chain, group and chord.
CREATE FUNCTION jobfleet.drill_parts(kind text, n integer) RETURNS TABLE (part text, value bigint)
LANGUAGE sql IMMUTABLE AS $$
	SELECT 'done', drill_parts.n::bigint
	WHERE kind IN ('short', 'long', 'retried', 'scheduled', 'spawn', 'chain', 'group', 'chord')
	UNION ALL
	SELECT w.word || ' ' || i, i FROM generate_series(1, drill_parts.n) AS i,
		(VALUES ('steps', 'step'), ('spawn', 'child'), ('pipeline', 'stage'), ('chain', 'link'),
			('links', 'link'), ('group', 'member'), ('members', 'member'), ('chord', 'member'),
			('sum', 'member')) AS w (kind, word)
	WHERE w.kind = drill_parts.kind
	UNION ALL
	SELECT 'sum', drill_parts.n::bigint * (drill_parts.n + 1) / 2 WHERE kind IN ('chord', 'sum')
$$;

-- What is not as it must be: a row a task and part, with the word for it.
--   lost        its enqueue was confirmed, or it began, and its effect is missing
--   dead        the same, and its cause stands in the dead letters
--   gone        the same, but its first message was in a queue that somebody deleted
--   foreign     the same, but its client did not ask for a confirm; or it told a chord's size to Redis
--               alone, which was emptied; of its groups and chords each member is such a message
--   unexpected  nobody meant it, or it was rejected, or its attempt was rolled back
--   twice, wrong, early
CREATE FUNCTION jobfleet.drill_faults(run text)
RETURNS TABLE (fault text, root text, part text, kind text, door text, times bigint)
LANGUAGE sql STABLE AS $$
	WITH meant AS (
		SELECT i.task_id AS root, i.kind, i.kind IN ('members', 'sum') AS many, i.door, i.answer, i.due, i.at,
			p.part, p.value
		FROM jobfleet.drill_intents i, jobfleet.drill_parts(i.kind, i.n) p WHERE i.run = $1),
	found AS (
		SELECT e.root, e.part, count(*) AS times, min(e.value) AS low, max(e.value) AS high,
			min(e.at) AS first
		FROM jobfleet.drill_effects e WHERE e.run = $1 GROUP BY 1, 2),
	begun AS (SELECT DISTINCT b.root FROM jobfleet.drill_begins b WHERE b.run = $1),
	dead AS (
		SELECT DISTINCT coalesce(b.root, d.task_id) AS root FROM jobfleet.dead_letters d
		LEFT JOIN jobfleet.drill_begins b ON b.run = $1 AND b.task_id = d.task_id
		WHERE d.task LIKE 'drill.%'),
	both_sides AS (
		SELECT root, part, m.kind, m.door, f.times, CASE
			WHEN m.root IS NULL OR (m.answer = 'rejected' AND f.root IS NOT NULL) THEN 'unexpected'
			WHEN f.times > 1 THEN 'twice'
			WHEN f.first < m.due THEN 'early'
			WHEN f.low <> m.value OR f.high <> m.value THEN 'wrong'
			WHEN f.root IS NOT NULL OR (coalesce(m.answer, 'rejected') = 'rejected' AND b.root IS NULL) THEN NULL
			WHEN d.root IS NOT NULL THEN 'dead'
			WHEN (m.door = 'unconfirmed' OR m.answer IS NULL) AND (b.root IS NULL OR m.many) THEN 'foreign'
			WHEN m.door <> 'sql' AND m.at < r.queue_deleted_at AND (b.root IS NULL OR m.many) THEN 'gone'
			WHEN m.kind = 'sum' AND m.at < r.results_since THEN 'foreign'
			ELSE 'lost' END AS fault
		FROM meant m FULL JOIN found f USING (root, part) LEFT JOIN begun b USING (root)
			LEFT JOIN dead d USING (root) CROSS JOIN (SELECT * FROM jobfleet.drill_runs WHERE drill_runs.run = $1) r)
	SELECT fault, root, part, kind, door, times FROM both_sides WHERE fault IS NOT NULL
$$;

-- Times in seconds: how many, half of them within, 99 of 100 within, all within.
CREATE FUNCTION jobfleet.drill_times(seconds double precision[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('count', count(*), 'p50', round(percentile_cont(0.5) WITHIN GROUP (ORDER BY s)::numeric, 3),
		'p99', round(percentile_cont(0.99) WITHIN GROUP (ORDER BY s)::numeric, 3), 'max', round(max(s)::numeric, 3))
	FROM unnest(seconds) AS s WHERE s IS NOT NULL
$$;

-- Everything that is counted, as the file of `jobfleet drill --out` has it.
CREATE FUNCTION jobfleet.drill_account(run text) RETURNS jsonb LANGUAGE sql STABLE AS $$
	WITH i AS NOT MATERIALIZED (SELECT * FROM jobfleet.drill_intents d WHERE d.run = $1),
	b AS NOT MATERIALIZED (SELECT * FROM jobfleet.drill_begins d WHERE d.run = $1),
	e AS NOT MATERIALIZED (SELECT * FROM jobfleet.drill_effects d WHERE d.run = $1),
	f AS MATERIALIZED (SELECT d.fault, count(*) AS n FROM jobfleet.drill_faults($1) d GROUP BY 1),
	j AS (SELECT * FROM jobfleet.drill_injections d WHERE d.run = $1),
	starts AS (SELECT task_id, retries, part, count(*) AS times FROM b GROUP BY 1, 2, 3),
	-- an attempt that a killed process had begun, and its next start anywhere; long ones are claimed
	killed AS (
		SELECT i.kind = 'long' AS claimed, extract(epoch FROM (SELECT min(next.at) FROM b next
			WHERE next.root = b.root AND next.task_id = b.task_id AND next.retries = b.retries
			AND next.part = b.part AND next.at > j.at) - j.at)::float8 AS took
		FROM j CROSS JOIN unnest(j.pids) AS p (pid)
			JOIN b ON b.pid = p.pid AND b.at < j.at AND b.at > j.at - interval '1 min'
			JOIN i ON i.task_id = b.root
		WHERE NOT EXISTS (SELECT FROM e WHERE e.root = b.root AND e.task_id = b.task_id AND e.part = b.part
			AND e.pid = b.pid))
	SELECT jsonb_build_object('run', r.run, 'seed', r.seed, 'mixture', r.mixture, 'started_at', r.started_at,
		'seconds', (SELECT round(extract(epoch FROM max(e.at) - r.started_at), 1) FROM e),
		'intents', (SELECT jsonb_build_object('attempted', count(*), 'confirmed', count(*) FILTER (WHERE answer = 'confirmed'),
			'spooled', count(*) FILTER (WHERE answer = 'spooled'), 'rejected', count(*) FILTER (WHERE answer = 'rejected'),
			'unanswered', count(*) FILTER (WHERE answer IS NULL),
			'recovered', count(*) FILTER (WHERE answer IS NULL AND EXISTS (SELECT FROM b WHERE b.root = i.task_id)))
			FROM i),
		'doors', (SELECT jsonb_object_agg(door, n) FROM (SELECT door, count(*) AS n FROM i GROUP BY 1) AS d),
		'kinds', (SELECT jsonb_object_agg(kind, n) FROM (SELECT kind, count(*) AS n FROM i GROUP BY 1) AS k),
		'effects_meant', (SELECT count(*) FROM i, jobfleet.drill_parts(i.kind, i.n)),
		'effects', (SELECT count(*) FROM e),
		'tasks', (SELECT count(DISTINCT task_id) FROM b),
		'starts', (SELECT count(*) FROM b),
		'started_again', (SELECT count(*) FROM starts WHERE times > 1),
		'faults', (SELECT jsonb_object_agg(w.word, coalesce((SELECT n FROM f WHERE f.fault = w.word), 0))
			FROM unnest(ARRAY['lost', 'unexpected', 'twice', 'wrong', 'early', 'dead', 'gone', 'foreign']) AS w (word)),
		'pending', (SELECT count(*) FROM jobfleet.pending p WHERE p.task LIKE 'drill.%'),
		'answer_s', (SELECT jobfleet.drill_times(array_agg(extract(epoch FROM answered_at - at)::float8)) FROM i
			WHERE answered_at IS NOT NULL),
		'late_s', (SELECT jobfleet.drill_times(array_agg(extract(epoch FROM e.at - i.due)::float8))
			FROM i JOIN e ON e.root = i.task_id WHERE i.due IS NOT NULL),
		'recovery_s', (SELECT jobfleet.drill_times(array_agg(took)) FROM killed WHERE NOT claimed),
		'recovery_claimed_s', (SELECT jobfleet.drill_times(array_agg(took)) FROM killed WHERE claimed),
		'injections', (SELECT coalesce(jsonb_agg(jsonb_build_object('what', what, 'times', n, 'health_s', health) ORDER BY what), '[]')
			FROM (SELECT what, count(*) AS n, jobfleet.drill_times(array_agg(extract(epoch FROM healthy_at - over_at)::float8)
				FILTER (WHERE healthy_at IS NOT NULL)) AS health FROM j GROUP BY 1) AS x),
		'health_s', (SELECT jobfleet.drill_times(array_agg(extract(epoch FROM healthy_at - over_at)::float8)) FROM j
			WHERE healthy_at IS NOT NULL))
	FROM jobfleet.drill_runs r WHERE r.run = $1
$$;

-- Half of each page stays free, so that the claim of a row and its mark need no new index entries.
ALTER TABLE jobfleet.pending SET (fillfactor = 50);
