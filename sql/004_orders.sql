-- SPDX-License-Identifier: MIT
-- What operators ordered: revokes and pauses. They are data, so that they survive the restart of
-- every component; keepers and dispatchers see a change by its sequence number. Also the keys of
-- unique enqueues.

-- Every change of revokes or pauses takes a number. Who writes one holds the advisory lock
-- hashtext('jobfleet.orders') of its transaction, so that numbers become visible in their order.
CREATE SEQUENCE jobfleet.order_seq;

CREATE TABLE jobfleet.revokes (
	kind       text NOT NULL CHECK (kind IN ('id', 'stamp')),
	name       text NOT NULL DEFAULT '',	-- stamp: the header's name
	value      text NOT NULL,		-- the task id, or the stamp's value
	ordered_by text NOT NULL DEFAULT '',
	ordered_at timestamptz NOT NULL DEFAULT now(),
	seq        bigint DEFAULT nextval('jobfleet.order_seq'),	-- null: a dispatcher gives it one
	PRIMARY KEY (kind, name, value)
);
CREATE INDEX revokes_seq ON jobfleet.revokes (seq);
CREATE INDEX revokes_at ON jobfleet.revokes (ordered_at);

CREATE TABLE jobfleet.pauses (
	kind      text NOT NULL CHECK (kind IN ('queue', 'task', 'fleet')),
	name      text NOT NULL DEFAULT '',	-- '' for the fleet
	paused    boolean NOT NULL DEFAULT true,	-- false: resumed; the row keeps the sequence
	reason    text NOT NULL DEFAULT '',
	ordered_by text NOT NULL DEFAULT '',
	ordered_at timestamptz NOT NULL DEFAULT now(),
	seq       bigint NOT NULL DEFAULT nextval('jobfleet.order_seq'),
	PRIMARY KEY (kind, name)
);
CREATE INDEX pauses_seq ON jobfleet.pauses (seq);
CREATE INDEX pending_paused ON jobfleet.pending (queue, task) WHERE state = 'waiting' AND reason = 'paused';

-- Who holds a unique key (task name, '/', the caller's key). A key past its time is free, and so is
-- one that holds until the end of a task that has its final ledger row.
CREATE TABLE jobfleet.unique_keys (
	key         text PRIMARY KEY,
	task_id     text NOT NULL,
	expires_at  timestamptz NOT NULL,
	until_final boolean NOT NULL DEFAULT true,	-- false: throttled, held for its whole time
	taken_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX unique_keys_expires ON jobfleet.unique_keys (expires_at);

-- Takes a key for a task, in the caller's transaction. NULL: it is yours. Else the id of the task
-- that holds it: reject and throttle leave it there; replace takes the key over, and the answer is
-- the task that has to be revoked.
CREATE FUNCTION jobfleet.unique_take(task text, task_id text, key text, hold interval DEFAULT NULL,
	mode text DEFAULT 'reject')
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	k    text := unique_take.task || '/' || unique_take.key;
	ends timestamptz := clock_timestamp() + coalesce(unique_take.hold, '7 days');
	held jobfleet.unique_keys;
	done boolean;
BEGIN
	IF unique_take.mode NOT IN ('reject', 'replace', 'throttle') THEN
		RAISE invalid_parameter_value USING
			MESSAGE = format('unique_mode %s is not reject, replace or throttle', unique_take.mode);
	ELSIF length(unique_take.key) NOT BETWEEN 1 AND 512 THEN
		RAISE invalid_parameter_value USING MESSAGE = 'unique_key must have 1 to 512 letters';
	ELSIF unique_take.hold <= '0' OR unique_take.mode = 'throttle' AND unique_take.hold IS NULL THEN
		RAISE invalid_parameter_value USING
			MESSAGE = 'unique_for must be longer than nothing, and throttle needs it';
	END IF;
	LOOP
		INSERT INTO jobfleet.unique_keys AS u (key, task_id, expires_at, until_final)
		VALUES (k, unique_take.task_id, ends, unique_take.mode <> 'throttle') ON CONFLICT DO NOTHING;
		IF FOUND THEN
			RETURN NULL;
		END IF;
		SELECT u.* INTO held FROM jobfleet.unique_keys u WHERE u.key = k FOR UPDATE;
		EXIT WHEN FOUND;
	END LOOP;
	IF held.task_id = unique_take.task_id THEN
		RETURN NULL;
	END IF;
	done := held.expires_at <= clock_timestamp() OR held.until_final AND EXISTS (
		SELECT FROM jobfleet.ledger l WHERE l.task_id = held.task_id AND l.final);
	IF done OR unique_take.mode = 'replace' THEN
		UPDATE jobfleet.unique_keys u SET task_id = unique_take.task_id, expires_at = ends,
			until_final = unique_take.mode <> 'throttle', taken_at = now() WHERE u.key = k;
	END IF;
	RETURN CASE WHEN NOT done THEN held.task_id END;
END $$;

DROP FUNCTION jobfleet.enqueue(text, jsonb, jsonb, text, integer, interval, timestamptz, timestamptz, text, jsonb);

-- Enqueues a task inside the caller's transaction: it is published if and only if that commits.
-- Returns the task's id. queue: needed only for a task that queues.conf does not route.
-- unique_key: at most one such task of this name waits or runs, until its end or unique_for has
-- passed (at most 7 days). unique_mode: reject returns NULL and enqueues nothing while the key is
-- held (a NOTICE names the holder); replace revokes the holder unless it runs already; throttle is
-- reject for the whole of unique_for, however soon the holder ends.
CREATE FUNCTION jobfleet.enqueue(
	task text, args jsonb DEFAULT '[]', kwargs jsonb DEFAULT '{}', queue text DEFAULT NULL,
	priority integer DEFAULT NULL, countdown interval DEFAULT NULL, eta timestamptz DEFAULT NULL,
	expires timestamptz DEFAULT NULL, task_id text DEFAULT NULL, headers jsonb DEFAULT '{}',
	unique_key text DEFAULT NULL, unique_for interval DEFAULT NULL, unique_mode text DEFAULT 'reject')
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
	INSERT INTO jobfleet.pending (task_id, kind, task, queue, headers, body, priority, due)
	VALUES (id, 'enqueued', enqueue.task, q,
		jsonb_build_object('timelimit', jsonb_build_array(NULL, NULL)) || enqueue.headers
		|| jsonb_build_object('lang', 'sql', 'task', enqueue.task, 'id', id,
			'root_id', id, 'parent_id', NULL, 'group', NULL, 'retries', 0,
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

REVOKE EXECUTE ON FUNCTION jobfleet.unique_take, jobfleet.enqueue FROM PUBLIC;
SELECT jobfleet.grant_to('jobfleet_worker', 'GRANT EXECUTE ON FUNCTION jobfleet.unique_take TO @');
SELECT jobfleet.grant_rights();

-- What is parked for a slot or a key is looked for by that.
CREATE INDEX pending_parked ON jobfleet.pending (reason, due) WHERE state = 'waiting' AND kind = 'parked';
