-- SPDX-License-Identifier: MIT
-- What operators do, and the schedules that they add while the fleet runs.
--
-- Every function here that asks for the time takes it as a parameter (at, due), so that years can be
-- simulated.

-- ---- Schedules ----

-- What the database has over queues.conf: a whole schedule, or single keys of one that stands there
-- too. Keys and values are those of a schedule block (queues.conf(5)). Dispatchers see a change
-- within seconds. Written by jobfleet.schedule_put and schedule_remove.
CREATE TABLE jobfleet.schedule_settings (
	name       text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9._-]{1,255}$'),
	settings   jsonb NOT NULL CHECK (jsonb_typeof(settings) = 'object'),
	changed_by text NOT NULL DEFAULT session_user,
	changed_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE jobfleet.schedules
	ADD COLUMN paused_by text NOT NULL DEFAULT '',
	ADD COLUMN paused_at timestamptz,
	ADD COLUMN resumed_at timestamptz NOT NULL DEFAULT '-infinity';	-- successes before it trigger nothing

-- Each fire is an execution as well: how it went is kept here longer than the ledger keeps it.
ALTER TABLE jobfleet.schedule_fires
	ADD COLUMN held        boolean NOT NULL DEFAULT false,	-- overlap: waits for the runs before it
	ADD COLUMN replaced_by text,		-- overlap = replace: id of the task that takes its place
	ADD COLUMN task        text,
	ADD COLUMN generation  integer,		-- which one ended: a dead letter's replay is a later one
	ADD COLUMN started_at  timestamptz,
	ADD COLUMN ended_at    timestamptz,
	ADD COLUMN outcome     text,		-- as in the ledger; dead; unknown: no trace after a day
	ADD COLUMN cause       text,
	ADD COLUMN attempts    integer,
	ADD COLUMN records     bigint;		-- as its result counts them; null: it counts none
CREATE INDEX schedule_fires_open ON jobfleet.schedule_fires (schedule, fired_at) WHERE ended_at IS NULL;
CREATE INDEX schedule_fires_unended ON jobfleet.schedule_fires (fired_at) WHERE outcome IS DISTINCT FROM 'success';
CREATE INDEX schedule_fires_held ON jobfleet.schedule_fires (schedule, due) WHERE held;
CREATE INDEX schedule_fires_fired ON jobfleet.schedule_fires (fired_at);

-- Due times that were left out, and why: with the fires, every due time that a dispatcher came to.
CREATE TABLE jobfleet.schedule_skips (
	schedule text NOT NULL,
	due      timestamptz NOT NULL,
	task_id  text NOT NULL,		-- the task that it would have been
	reason   text NOT NULL,
	noted_by text NOT NULL,
	noted_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (schedule, due)
);
CREATE INDEX schedule_skips_task ON jobfleet.schedule_skips (task_id);
CREATE INDEX schedule_skips_noted ON jobfleet.schedule_skips (noted_at);

-- One due time becomes one task: a row in the fire ledger and one in the outbox. False: it was
-- fired before. hold: it waits in the outbox until jobfleet.release_held lets it go.
-- late: how long after due it goes out (jitter). limit_ms: the time limit of this run, in whole seconds.
CREATE FUNCTION jobfleet.fire_schedule(schedule text, due timestamptz, at timestamptz, task_id text,
	task text, args jsonb DEFAULT '[]', kwargs jsonb DEFAULT '{}', queue text DEFAULT NULL,
	priority integer DEFAULT NULL, late interval DEFAULT '0', kind text DEFAULT 'time',
	fired_by text DEFAULT session_user, headers jsonb DEFAULT '{}', hold boolean DEFAULT false,
	limit_ms bigint DEFAULT NULL)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO jobfleet.schedule_fires (schedule, due, task_id, kind, fired_by, fired_at, held, task)
	VALUES (fire_schedule.schedule, fire_schedule.due, fire_schedule.task_id, fire_schedule.kind,
		fire_schedule.fired_by, fire_schedule.at, fire_schedule.hold, fire_schedule.task)
	ON CONFLICT ON CONSTRAINT schedule_fires_pkey DO NOTHING;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM jobfleet.enqueue(task => fire_schedule.task, args => fire_schedule.args,
		kwargs => fire_schedule.kwargs, queue => fire_schedule.queue,
		priority => fire_schedule.priority,
		countdown => greatest(fire_schedule.due + fire_schedule.late - fire_schedule.at, '0'),
		task_id => fire_schedule.task_id, headers => fire_schedule.headers
			|| jsonb_build_object('x-jobfleet-schedule', fire_schedule.schedule));
	IF fire_schedule.hold OR fire_schedule.limit_ms > 0 THEN
		UPDATE jobfleet.pending p SET
			due = CASE WHEN fire_schedule.hold THEN 'infinity' ELSE p.due END,
			reason = CASE WHEN fire_schedule.hold
				THEN 'waits for the schedule''s run before it' ELSE p.reason END,
			headers = CASE WHEN fire_schedule.limit_ms > 0 THEN p.headers || jsonb_build_object('timelimit',
				jsonb_build_array(ceil(fire_schedule.limit_ms / 1000.0)::bigint, NULL)) ELSE p.headers END
		WHERE p.task_id = fire_schedule.task_id AND p.state = 'waiting';
	END IF;
	RETURN true;
END $$;

-- The fires of a schedule whose task has not ended. One that stands neither in the ledger nor in the
-- dead letters a day after its fire counts as ended: tasks without a ledger leave no trace there.
CREATE FUNCTION jobfleet.schedule_open(schedule text, at timestamptz)
RETURNS TABLE (due timestamptz, task_id text, held boolean) LANGUAGE sql STABLE AS $$
	SELECT f.due, f.task_id, f.held FROM jobfleet.schedule_fires f
	WHERE f.schedule = $1 AND f.ended_at IS NULL
		AND (f.held OR f.fired_at > $2 - interval '1 day')
		AND NOT EXISTS (SELECT FROM jobfleet.ledger l WHERE l.task_id = f.task_id AND l.final)
		AND NOT EXISTS (SELECT FROM jobfleet.dead_letters d WHERE d.task_id = f.task_id AND d.state = 'dead')
$$;

-- overlap = replace: whatever of the schedule is still open makes room for task_id. What waits does
-- not run any more; what runs is revoked here and ended by the dispatchers. Returns how many.
CREATE FUNCTION jobfleet.replace_runs(schedule text, task_id text, at timestamptz)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	n integer;
BEGIN
	WITH old AS (SELECT o.* FROM jobfleet.schedule_open(replace_runs.schedule, replace_runs.at) o
			WHERE o.task_id <> replace_runs.task_id),
		waiting AS (DELETE FROM jobfleet.pending p USING old o WHERE o.held AND p.task_id = o.task_id),
		revoked AS (INSERT INTO jobfleet.revokes (kind, value, ordered_by, ordered_at, seq)
			SELECT 'id', o.task_id, 'schedule ' || replace_runs.schedule, replace_runs.at, NULL
			FROM old o WHERE NOT o.held ON CONFLICT DO NOTHING)
	UPDATE jobfleet.schedule_fires f SET replaced_by = replace_runs.task_id, held = false,
		outcome = CASE WHEN o.held THEN 'revoked' END, cause = CASE WHEN o.held THEN 'replaced' END,
		attempts = CASE WHEN o.held THEN 0 END, ended_at = CASE WHEN o.held THEN replace_runs.at END
	FROM old o WHERE f.schedule = replace_runs.schedule AND f.due = o.due AND f.replaced_by IS NULL;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- Lets the first held run of each schedule go whose runs before it have ended. Returns how many.
CREATE FUNCTION jobfleet.release_held(at timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	s text;
	n integer := 0;
BEGIN
	FOR s IN SELECT DISTINCT f.schedule FROM jobfleet.schedule_fires f WHERE f.held LOOP
		CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtext('jobfleet.schedule'), hashtext(s));
		CONTINUE WHEN EXISTS (SELECT FROM jobfleet.schedule_open(s, release_held.at) o WHERE NOT o.held);
		WITH first AS (UPDATE jobfleet.schedule_fires f SET held = false, fired_at = release_held.at
			WHERE f.schedule = s AND f.held AND f.due = (SELECT min(g.due) FROM jobfleet.schedule_fires g
				WHERE g.schedule = s AND g.held)
			RETURNING f.task_id)
		UPDATE jobfleet.pending p SET due = clock_timestamp(), reason = NULL
		FROM first WHERE p.task_id = first.task_id AND p.state = 'waiting';
		n := n + 1;
	END LOOP;
	IF n > 0 THEN
		NOTIFY jobfleet_pending;
	END IF;
	RETURN n;
END $$;

-- How many records a result speaks of, by the words that our tasks use; null: none of them.
CREATE FUNCTION jobfleet.result_records(meta text) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	result jsonb := meta::jsonb -> 'result';
	word text;
BEGIN
	FOREACH word IN ARRAY ARRAY['records', 'job_count', 'records_loaded', 'jobs_collected', 'collected', 'jobs_processed',
		'processed', 'loaded', 'synced', 'refreshed', 'scores_updated', 'embedded', 'expired', 'removed',
		'written', 'updated', 'enqueued', 'postings', 'count']
	LOOP
		IF jsonb_typeof(result -> word) = 'number' THEN
			RETURN trunc((result ->> word)::numeric)::bigint;
		END IF;
	END LOOP;
	RETURN NULL;
EXCEPTION WHEN data_exception OR untranslatable_character THEN
	RETURN NULL;
END $$;

-- Writes down how executions ended: of the newest `most` that are open, and with again those that
-- failed in the ledger's days and have succeeded since (a replayed dead letter). Returns how many.
-- Who calls it again and again takes an advisory lock: one at a time is enough.
CREATE FUNCTION jobfleet.note_ends(at timestamptz, most integer, again boolean DEFAULT false)
RETURNS integer LANGUAGE sql AS $$
	WITH open AS (SELECT f.schedule, f.due, f.task_id, f.fired_at, f.generation, f.ended_at
		FROM jobfleet.schedule_fires f
		WHERE f.outcome IS DISTINCT FROM 'success' AND NOT f.held AND (f.ended_at IS NULL OR $3)
			AND f.fired_at > $1 - interval '8 days'
		ORDER BY f.fired_at DESC LIMIT $2),
	found AS (SELECT o.schedule, o.due, o.ended_at AS was, l.generation, l.settled_at, l.outcome, l.cause, runs.*,
			jobfleet.result_records(l.meta) AS records
		FROM open o
		CROSS JOIN LATERAL (SELECT l.* FROM jobfleet.ledger l WHERE l.task_id = o.task_id AND l.final
			AND l.generation > coalesce(o.generation, -1) ORDER BY l.generation DESC LIMIT 1) l
		CROSS JOIN LATERAL (SELECT min(r.started_at) AS started_at, count(*) AS attempts
			FROM jobfleet.ledger r WHERE r.task_id = o.task_id) runs
		UNION ALL
		SELECT o.schedule, o.due, NULL, d.generation, d.died_at, 'dead', d.cause, NULL, NULL, NULL
		FROM open o CROSS JOIN LATERAL (SELECT d.* FROM jobfleet.dead_letters d
			WHERE d.task_id = o.task_id AND d.state = 'dead' ORDER BY d.id DESC LIMIT 1) d
		WHERE o.ended_at IS NULL AND NOT EXISTS (SELECT FROM jobfleet.ledger l
			WHERE l.task_id = o.task_id AND l.final)
		UNION ALL
		SELECT o.schedule, o.due, NULL, NULL, $1, 'unknown', NULL, NULL, NULL, NULL FROM open o
		WHERE o.ended_at IS NULL AND o.fired_at < $1 - interval '7 days'),
	noted AS (UPDATE jobfleet.schedule_fires f SET generation = n.generation, ended_at = n.settled_at,
			outcome = n.outcome, cause = n.cause, started_at = n.started_at, records = n.records,
			attempts = n.attempts + coalesce((SELECT sum(s.starts) FROM jobfleet.starts s
				WHERE s.task_id = f.task_id), 0)
		FROM found n WHERE f.schedule = n.schedule AND f.due = n.due
			AND f.ended_at IS NOT DISTINCT FROM n.was RETURNING 1)
	SELECT count(*)::integer FROM noted
$$;

-- Success and mean duration of the 24 hours before `at` and of the 24 before those, for the trend.
CREATE FUNCTION jobfleet.schedule_stats(at timestamptz)
RETURNS TABLE (schedule text, runs bigint, success_rate numeric, mean_s numeric, records bigint,
	runs_before bigint, success_rate_before numeric, mean_s_before numeric)
LANGUAGE sql STABLE AS $$
	WITH r AS (SELECT f.schedule, f.ended_at > $1 - interval '24 hours' AS today,
			f.outcome = 'success' AS good, extract(epoch FROM f.ended_at - f.started_at) AS took, f.records
		FROM jobfleet.schedule_fires f
		WHERE f.ended_at > $1 - interval '48 hours' AND f.ended_at <= $1 AND f.outcome <> 'unknown'
			AND f.fired_at > $1 - interval '9 days')
	SELECT r.schedule, count(*) FILTER (WHERE today),
		round(100.0 * count(*) FILTER (WHERE today AND good) / nullif(count(*) FILTER (WHERE today), 0), 1),
		round(avg(took) FILTER (WHERE today), 3), sum(r.records) FILTER (WHERE today),
		count(*) FILTER (WHERE NOT today),
		round(100.0 * count(*) FILTER (WHERE NOT today AND good) / nullif(count(*) FILTER (WHERE NOT today), 0), 1),
		round(avg(took) FILTER (WHERE NOT today), 3)
	FROM r GROUP BY r.schedule
$$;

-- The same of every task, scheduled or not, from the ledger.
CREATE FUNCTION jobfleet.task_stats(at timestamptz)
RETURNS TABLE (task text, runs bigint, success_rate numeric, mean_s numeric,
	runs_before bigint, success_rate_before numeric, mean_s_before numeric)
LANGUAGE sql STABLE AS $$
	WITH r AS (SELECT l.task, l.settled_at > $1 - interval '24 hours' AS today,
			l.outcome = 'success' AS good, extract(epoch FROM l.settled_at - l.started_at) AS took
		FROM jobfleet.ledger l
		WHERE l.final AND l.settled_at > $1 - interval '48 hours' AND l.settled_at <= $1)
	SELECT r.task, count(*) FILTER (WHERE today),
		round(100.0 * count(*) FILTER (WHERE today AND good) / nullif(count(*) FILTER (WHERE today), 0), 1),
		round(avg(took) FILTER (WHERE today), 3), count(*) FILTER (WHERE NOT today),
		round(100.0 * count(*) FILTER (WHERE NOT today AND good) / nullif(count(*) FILTER (WHERE NOT today), 0), 1),
		round(avg(took) FILTER (WHERE NOT today), 3)
	FROM r GROUP BY r.task
$$;

CREATE INDEX IF NOT EXISTS raw_job_collections_timestamp ON public.raw_job_collections (timestamp);

-- How old the newest of some data is; null: there is none. of: raw, postings, benchmarks, market,
-- scores, or else the name of a schedule: how long ago a run of it ended well.
CREATE FUNCTION jobfleet.data_age(of text, at timestamptz) RETURNS interval LANGUAGE plpgsql STABLE AS $$
DECLARE
	newest timestamptz;
BEGIN
	CASE data_age.of
	WHEN 'raw' THEN
		SELECT max(c.timestamp) INTO newest FROM public.raw_job_collections c;
	WHEN 'postings' THEN
		SELECT max(j.last_seen) INTO newest FROM public.enhanced_jobs j WHERE j.status = 'active';
	WHEN 'benchmarks' THEN
		SELECT max(b.updated_at) INTO newest FROM public.salary_benchmarks b;
	WHEN 'market' THEN
		SELECT max(m.updated_at) INTO newest FROM public.market_data m;
	WHEN 'scores' THEN
		SELECT max(s.updated_at) INTO newest FROM public.confidence_scores s;
	ELSE
		SELECT coalesce(f.ended_at, l.settled_at) INTO newest FROM jobfleet.schedule_fires f
		LEFT JOIN jobfleet.ledger l ON l.task_id = f.task_id AND l.final
		WHERE f.schedule = data_age.of AND coalesce(f.outcome, l.outcome) = 'success'
		ORDER BY f.due DESC LIMIT 1;
	END CASE;
	RETURN data_age.at - newest;
END $$;

-- Calls that a source's day and month still allow, the smaller; null: no bound. day and month are
-- the bounds of queues.conf (0 = none), which hold until the provider has spoken.
CREATE FUNCTION jobfleet.quota_left(source text, day integer, month integer, at timestamptz)
RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT min(CASE WHEN q.source IS NULL THEN w.allowed
		ELSE least(q.remaining, coalesce(q.allowed, w.allowed) - q.used) END)::bigint
	FROM (VALUES ('day', nullif($2, 0)), ('month', nullif($3, 0))) AS w (period, allowed)
	LEFT JOIN jobfleet.provider_quota q ON q.source = $1 AND q.period = w.period AND q.resets_at > $4
$$;

-- ---- Operators ----

-- jobfleet_viewer    reads everything and changes nothing
-- jobfleet_operator  also revokes, replays, pauses, resumes, scales, and runs schedules
-- jobfleet_admin     also purges and drops, and adds, changes and removes schedules
-- The owner of the schema, and a superuser, may do what an admin may.
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['jobfleet_viewer', 'jobfleet_operator', 'jobfleet_admin'] LOOP
		CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = name);
		BEGIN
			EXECUTE format('CREATE ROLE %I NOLOGIN', name);
		EXCEPTION
		WHEN duplicate_object OR unique_violation THEN
			NULL;   -- a migration of another database was faster
		WHEN insufficient_privilege THEN
			RAISE NOTICE 'role % cannot be made by %; let an administrator make it (CREATE ROLE % NOLOGIN), then SELECT jobfleet.grant_rights()',
				name, current_user, name;
		END;
	END LOOP;
END $$;

-- Who did what, when, and how it ended. Nobody but the functions below writes it.
CREATE TABLE jobfleet.operator_actions (
	id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at        timestamptz NOT NULL DEFAULT clock_timestamp(),
	login     text NOT NULL DEFAULT session_user,	-- the database's word
	operator  text NOT NULL,			-- user@host, the command line's word
	action    text NOT NULL,
	arguments jsonb NOT NULL DEFAULT '[]',
	outcome   text NOT NULL DEFAULT 'begun' CHECK (outcome IN ('begun', 'done', 'failed', 'refused')),
	detail    text NOT NULL DEFAULT '',
	ended_at  timestamptz
);
CREATE INDEX operator_actions_at ON jobfleet.operator_actions (at);

CREATE FUNCTION jobfleet.is_member(login text, role text) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = $2 AND pg_has_role($1, r.oid, 'MEMBER'))
$$;

-- The role that an action needs, or null: the session's login may do it.
CREATE FUNCTION jobfleet.role_missing(action text, login text DEFAULT session_user)
RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN pg_has_role($2, (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'jobfleet'), 'MEMBER')
			OR jobfleet.is_member($2, 'jobfleet_admin') THEN NULL
		WHEN $1 IN ('purge', 'dlq drop', 'schedule add', 'schedule set', 'schedule remove') THEN 'jobfleet_admin'
		WHEN jobfleet.is_member($2, 'jobfleet_operator') THEN NULL
		ELSE 'jobfleet_operator' END
$$;

-- Writes down that an action begins. missing: the role without which it must not (then it is
-- written down as refused).
CREATE FUNCTION jobfleet.begin_action(action text, arguments jsonb, operator text,
	OUT id bigint, OUT missing text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	missing := jobfleet.role_missing(begin_action.action);
	INSERT INTO jobfleet.operator_actions AS a (operator, action, arguments, outcome, detail, ended_at)
	VALUES (left(begin_action.operator, 320), left(begin_action.action, 64), begin_action.arguments,
		CASE WHEN missing IS NULL THEN 'begun' ELSE 'refused' END,
		CASE WHEN missing IS NULL THEN '' ELSE 'needs the role ' || missing END,
		CASE WHEN missing IS NOT NULL THEN clock_timestamp() END)
	RETURNING a.id INTO begin_action.id;
END $$;

-- Only of one's own, and once.
CREATE FUNCTION jobfleet.end_action(id bigint, outcome text, detail text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE jobfleet.operator_actions a SET outcome = $2, detail = left($3, 2000), ended_at = clock_timestamp()
	WHERE a.id = $1 AND a.outcome = 'begun' AND a.login = session_user AND $2 IN ('done', 'failed')
$$;

CREATE FUNCTION jobfleet.must_be_allowed(action text) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
	missing text := jobfleet.role_missing(must_be_allowed.action);
BEGIN
	IF missing IS NOT NULL THEN
		RAISE insufficient_privilege USING
			MESSAGE = format('%s needs the role %s', must_be_allowed.action, missing);
	END IF;
END $$;

-- A change of a schedule starts it anew from `at`: what it missed before belongs to what it was.
CREATE FUNCTION jobfleet.schedule_put(name text, settings jsonb, operator text, at timestamptz DEFAULT now())
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM jobfleet.must_be_allowed('schedule set');
	INSERT INTO jobfleet.schedule_settings AS s (name, settings, changed_by, changed_at)
	VALUES (schedule_put.name, schedule_put.settings, schedule_put.operator, schedule_put.at)
	ON CONFLICT ON CONSTRAINT schedule_settings_pkey DO UPDATE SET settings = excluded.settings,
		changed_by = excluded.changed_by, changed_at = excluded.changed_at;
	UPDATE jobfleet.schedules s SET definition = '' WHERE s.name = schedule_put.name;
	NOTIFY jobfleet_pending;
END $$;

-- Takes out what the database has of it; false: nothing was there. One that stands in queues.conf
-- too is from then on what it is there.
CREATE FUNCTION jobfleet.schedule_remove(name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM jobfleet.must_be_allowed('schedule remove');
	DELETE FROM jobfleet.schedule_settings s WHERE s.name = schedule_remove.name;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	DELETE FROM jobfleet.schedules s WHERE s.name = schedule_remove.name;
	NOTIFY jobfleet_pending;
	RETURN true;
END $$;

-- False: it was so already. Kept for a schedule that no dispatcher has seen yet, too.
CREATE FUNCTION jobfleet.schedule_pause(name text, pause boolean, operator text, at timestamptz DEFAULT now())
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	was boolean;
BEGIN
	PERFORM jobfleet.must_be_allowed('schedule pause');
	INSERT INTO jobfleet.schedules (name, definition, since) VALUES (schedule_pause.name, '', schedule_pause.at)
	ON CONFLICT DO NOTHING;
	SELECT s.paused INTO was FROM jobfleet.schedules s WHERE s.name = schedule_pause.name FOR UPDATE;
	IF was = schedule_pause.pause THEN
		RETURN false;
	END IF;
	UPDATE jobfleet.schedules s SET paused = schedule_pause.pause, paused_by = schedule_pause.operator,
		paused_at = schedule_pause.at,
		resumed_at = CASE WHEN schedule_pause.pause THEN s.resumed_at ELSE schedule_pause.at END
	WHERE s.name = schedule_pause.name;
	NOTIFY jobfleet_pending;
	RETURN true;
END $$;

-- Fires a schedule now, beside its due times; its overlap does not count. Returns the task's id.
CREATE FUNCTION jobfleet.schedule_run(name text, task text, args jsonb, kwargs jsonb, queue text,
	priority integer, headers jsonb, limit_ms bigint, operator text, at timestamptz DEFAULT clock_timestamp())
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	id text := gen_random_uuid()::text;
BEGIN
	PERFORM jobfleet.must_be_allowed('schedule run');
	IF NOT jobfleet.fire_schedule(schedule_run.name, schedule_run.at, schedule_run.at, id, schedule_run.task,
		schedule_run.args, schedule_run.kwargs, schedule_run.queue, schedule_run.priority, '0', 'manual',
		schedule_run.operator, schedule_run.headers, false, schedule_run.limit_ms)
	THEN
		RAISE unique_violation USING MESSAGE = format('schedule %s fired at this very microsecond', schedule_run.name);
	END IF;
	RETURN id;
END $$;
