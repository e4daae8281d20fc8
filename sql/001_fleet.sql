-- SPDX-License-Identifier: MIT
-- The fleet's own tables, schema jobfleet: what was done (ledger, steps, starts), what must still
-- be published (pending), what cannot go on (dead_letters), who is there (workers).
-- Times are PostgreSQL's clock. Lists are closed by checks.

CREATE SCHEMA IF NOT EXISTS jobfleet;	-- the migration runner keeps its table there

-- One row per settled attempt. The row is the last statement of the attempt's transaction, so a
-- twin of the attempt (redelivered, thawed, published twice) collides with it and rolls back.
CREATE TABLE jobfleet.ledger (
	task_id      text NOT NULL,
	generation   integer NOT NULL DEFAULT 0 CHECK (generation >= 0),
	nesting      integer NOT NULL DEFAULT 0 CHECK (nesting >= 0),
	retries      integer NOT NULL DEFAULT 0 CHECK (retries >= 0),
	outcome      text NOT NULL CHECK (outcome IN ('success', 'failure', 'revoked', 'retry', 'replaced', 'ignored', 'rejected')),
	final        boolean NOT NULL,
	task         text NOT NULL,
	queue        text NOT NULL,
	meta         text,           -- the result as it goes to Redis (Celery's JSON); null = none wanted
	cause        text,           -- error code or cause of death; null on success
	follow_ups   integer NOT NULL DEFAULT 0,
	node         text NOT NULL,
	started_at   timestamptz,
	settled_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (task_id, generation, nesting, retries)
);
CREATE UNIQUE INDEX ledger_final ON jobfleet.ledger (task_id, generation) WHERE final;
CREATE INDEX ledger_settled ON jobfleet.ledger (settled_at);

-- Everything that must be published later. Unique on (ledger key, hop): a repeated settle adds
-- nothing. A row stays as 'sent' until the task's final ledger row.
CREATE TABLE jobfleet.pending (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	task_id       text NOT NULL,
	generation    integer NOT NULL DEFAULT 0,
	nesting       integer NOT NULL DEFAULT 0,
	retries       integer NOT NULL DEFAULT 0,
	hop           integer NOT NULL DEFAULT 0,
	kind          text NOT NULL CHECK (kind IN ('outbox', 'enqueued', 'eta', 'retry', 'parked', 'claim')),
	task          text NOT NULL,
	queue         text NOT NULL CHECK (queue <> ''),
	props         bytea,         -- AMQP properties as in common/broker/message.h; null: from headers
	headers       jsonb,         -- rows born in SQL: the message's headers, by Celery's names
	body          bytea NOT NULL,
	priority      smallint CHECK (priority BETWEEN 0 AND 9),
	due           timestamptz NOT NULL DEFAULT clock_timestamp(),
	state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent')),
	claimed_until timestamptz,   -- whoever made or took the row publishes it until then
	attempts      integer NOT NULL DEFAULT 0,
	reason        text,
	created_at    timestamptz NOT NULL DEFAULT now(),
	sent_at       timestamptz,
	UNIQUE (task_id, generation, nesting, retries, hop),
	CHECK ((props IS NULL) <> (headers IS NULL))
);
CREATE INDEX pending_due ON jobfleet.pending (due, id) WHERE state = 'waiting';
CREATE INDEX pending_sent ON jobfleet.pending (sent_at) WHERE state = 'sent';

-- Finished parts of long tasks: a repeat of the attempt skips them.
CREATE TABLE jobfleet.steps (
	task_id    text NOT NULL,
	generation integer NOT NULL DEFAULT 0,
	nesting    integer NOT NULL DEFAULT 0,
	step       text NOT NULL,
	saved      jsonb,
	done_at    timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (task_id, generation, nesting, step)
);
CREATE INDEX steps_done ON jobfleet.steps (done_at);

-- Starts that did not end, counted before a redelivered or re-dispatched message starts again.
CREATE TABLE jobfleet.starts (
	task_id    text NOT NULL,
	generation integer NOT NULL DEFAULT 0,
	starts     integer NOT NULL DEFAULT 0,
	arrivals   integer NOT NULL DEFAULT 0,
	causes     jsonb NOT NULL DEFAULT '[]',
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (task_id, generation)
);
CREATE INDEX starts_updated ON jobfleet.starts (updated_at);

-- The truth about what cannot go on; the queue failed_operations is a mailbox into it.
CREATE TABLE jobfleet.dead_letters (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	mail_id     text UNIQUE,     -- of the mailbox message, so that a redelivered one adds nothing
	task_id     text,
	generation  integer NOT NULL DEFAULT 0,
	task        text,
	queue       text NOT NULL,
	cause       text NOT NULL,   -- malformed, unregistered, lost, hard_limit, returned, exhausted, expired …
	reason      text NOT NULL,
	detail      jsonb NOT NULL DEFAULT '{}',
	fingerprint text NOT NULL,   -- equal causes group by it
	props       bytea,
	body        bytea,           -- the bytes as they came
	state       text NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replayed', 'dropped')),
	died_at     timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letters_task ON jobfleet.dead_letters (task_id);
CREATE INDEX dead_letters_open ON jobfleet.dead_letters (died_at) WHERE state = 'dead';

-- Results that could not be written to Redis; the dispatcher delivers and deletes them.
CREATE TABLE jobfleet.result_backlog (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	task_id    text NOT NULL,
	generation integer NOT NULL DEFAULT 0,
	retries    integer NOT NULL DEFAULT 0,
	final      boolean NOT NULL,
	meta       text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE jobfleet.workers (
	node        text PRIMARY KEY,
	program     text NOT NULL,
	host        text NOT NULL,
	pid         integer NOT NULL,
	state       text NOT NULL CHECK (state IN ('starting', 'running', 'draining', 'stopped')),
	queues      text[] NOT NULL,
	concurrency integer NOT NULL,
	active      integer NOT NULL DEFAULT 0,
	reserved    integer NOT NULL DEFAULT 0,
	processed   bigint NOT NULL DEFAULT 0,
	failed      bigint NOT NULL DEFAULT 0,
	version     text NOT NULL,
	info        jsonb NOT NULL DEFAULT '{}',
	started_at  timestamptz NOT NULL DEFAULT now(),
	seen_at     timestamptz NOT NULL DEFAULT now()
);

-- Where a task goes when its caller names no queue; the dispatcher keeps it as queues.conf says.
CREATE TABLE jobfleet.routes (
	task     text PRIMARY KEY,
	queue    text NOT NULL,
	priority smallint CHECK (priority BETWEEN 0 AND 9)
);

CREATE TABLE jobfleet.provider_quota (
	source       text NOT NULL,
	period       text NOT NULL CHECK (period IN ('day', 'month')),
	period_start date NOT NULL,
	used         integer NOT NULL DEFAULT 0 CHECK (used >= 0),
	allowed      integer,        -- null: no bound known
	remaining    integer,        -- as the provider's own headers last said
	resets_at    timestamptz,
	updated_at   timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (source, period, period_start)
);

CREATE TABLE jobfleet.source_state (
	source       text PRIMARY KEY,
	parked_until timestamptz,    -- infinity: until an operator acts
	reason       text,
	failures     integer NOT NULL DEFAULT 0,
	opened_at    timestamptz,    -- circuit breaker
	updated_at   timestamptz NOT NULL DEFAULT now()
);

-- Every fire of every schedule, once: any number of dispatchers insert, one wins.
CREATE TABLE jobfleet.schedule_fires (
	schedule text NOT NULL,
	due      timestamptz NOT NULL,
	task_id  text NOT NULL,
	kind     text NOT NULL DEFAULT 'time' CHECK (kind IN ('time', 'after', 'manual')),
	fired_by text NOT NULL,
	fired_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (schedule, due)
);
CREATE INDEX schedule_fires_task ON jobfleet.schedule_fires (task_id);
CREATE TABLE jobfleet.schedules (
	name       text PRIMARY KEY,
	definition text NOT NULL,    -- fingerprint of its settings: a changed one starts anew
	since      timestamptz NOT NULL DEFAULT now(),
	next_due   timestamptz,
	paused     boolean NOT NULL DEFAULT false
);

CREATE TABLE jobfleet.alerts (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name        text NOT NULL,
	subject     text NOT NULL,
	level       text NOT NULL CHECK (level IN ('INFO', 'WARNING', 'ERROR', 'CRITICAL')),
	message     text NOT NULL,
	occurrences integer NOT NULL DEFAULT 1,
	first_at    timestamptz NOT NULL DEFAULT now(),
	last_at     timestamptz NOT NULL DEFAULT now(),
	resolved_at timestamptz
);
CREATE UNIQUE INDEX alerts_open ON jobfleet.alerts (name, subject) WHERE resolved_at IS NULL;

-- Raises an alert once; while it stays open a repeat only counts.
CREATE FUNCTION jobfleet.raise_alert(name text, subject text, level text, message text)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO jobfleet.alerts (name, subject, level, message) VALUES ($1, $2, $3, $4)
	ON CONFLICT (name, subject) WHERE resolved_at IS NULL
	DO UPDATE SET occurrences = alerts.occurrences + 1, last_at = now(),
		level = excluded.level, message = excluded.message;
$$;

-- Enqueues a task inside the caller's transaction: it is published if and only if that commits.
-- Returns the task's id. queue: needed only for a task that queues.conf does not route.
CREATE FUNCTION jobfleet.enqueue(
	task text, args jsonb DEFAULT '[]', kwargs jsonb DEFAULT '{}', queue text DEFAULT NULL,
	priority integer DEFAULT NULL, countdown interval DEFAULT NULL, eta timestamptz DEFAULT NULL,
	expires timestamptz DEFAULT NULL, task_id text DEFAULT NULL, headers jsonb DEFAULT '{}')
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	id  text := coalesce(enqueue.task_id, gen_random_uuid()::text);
	q   text := enqueue.queue;
	p   integer := enqueue.priority;
	due timestamptz := coalesce(enqueue.eta, clock_timestamp() + coalesce(enqueue.countdown, '0'));
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
	INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, priority, due)
	VALUES (id, 'enqueued', enqueue.task, q,
		enqueue.headers || jsonb_build_object('lang', 'sql', 'task', enqueue.task, 'id', id,
			'root_id', id, 'parent_id', NULL, 'group', NULL, 'retries', 0,
			'timelimit', jsonb_build_array(NULL, NULL),
			'argsrepr', left(enqueue.args::text, 1024), 'kwargsrepr', left(enqueue.kwargs::text, 1024),
			'origin', 'sql@' || current_database(), 'eta', to_jsonb(enqueue.eta),
			'expires', to_jsonb(enqueue.expires)),
		convert_to(format('[%s, %s, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]',
			enqueue.args, enqueue.kwargs), 'UTF8'), p, due)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE unique_violation USING MESSAGE = format('jobfleet.enqueue: task %s is enqueued already', id);
	END IF;
	NOTIFY jobfleet_pending;
	RETURN id;
END $$;
