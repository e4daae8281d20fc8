-- SPDX-License-Identifier: MIT
-- Alerts: how they stand with their rules, who was told of them, and what operators said to them.
--
-- One row of jobfleet.alerts is one time that something was wrong, from its first moment to its
-- resolution. Rows come from the rules of queues.conf (ruled), evaluated by the leading dispatcher
-- (workers/dispatcher/alert.h), and from programs that raise what they notice themselves. A rule
-- takes over the open row of its own name and subject, so that both are one alert.

ALTER TABLE jobfleet.alerts
	ADD COLUMN ruled         boolean NOT NULL DEFAULT false,
	ADD COLUMN resolution    text,		-- why it is over
	ADD COLUMN told_at       timestamptz,	-- the first notice of it; null: nobody was told yet
	ADD COLUMN told_to       text,		-- the addresses of that notice: its resolution goes there
	ADD COLUMN last_told_at  timestamptz,
	ADD COLUMN told          integer NOT NULL DEFAULT 0,	-- notices of its being there, repeats included
	ADD COLUMN escalated_at  timestamptz,
	ADD COLUMN escalated_to  text,
	ADD COLUMN end_told_at   timestamptz,
	ADD COLUMN acked_at      timestamptz,
	ADD COLUMN acked_by      text,
	ADD COLUMN ack_reason    text;
CREATE INDEX alerts_end_untold ON jobfleet.alerts (resolved_at)
	WHERE resolved_at IS NOT NULL AND told_at IS NOT NULL AND end_told_at IS NULL;
CREATE INDEX alerts_last ON jobfleet.alerts (last_at);
-- What ended before there were notices needs none.
UPDATE jobfleet.alerts SET told_at = first_at, last_told_at = first_at, told_to = '', end_told_at = resolved_at;

-- How each subject of each rule stands. A new leader, and a restarted one, goes on from here.
CREATE TABLE jobfleet.alert_states (
	rule     text NOT NULL,
	subject  text NOT NULL,
	phase    text NOT NULL CHECK (phase IN ('ok', 'pending', 'firing')),
	since    timestamptz NOT NULL,	-- of the phase
	good     timestamptz,		-- firing: since when the condition does not hold any more
	seen     timestamptz,		-- when there was a value last; null: never
	value    double precision,	-- then
	fired    integer NOT NULL DEFAULT 0,	-- firings in short succession: more is flapping
	fired_at timestamptz,
	PRIMARY KEY (rule, subject)
);

-- What an operator does not want to be told for a while; the alerts themselves go on.
CREATE TABLE jobfleet.alert_silences (
	name    text NOT NULL,
	subject text NOT NULL DEFAULT '',	-- '': each
	until   timestamptz NOT NULL,
	reason  text NOT NULL DEFAULT '',
	made_by text NOT NULL DEFAULT session_user,
	made_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (name, subject)
);

-- One row a notice and address: the task that delivers it has the same id.
CREATE TABLE jobfleet.alert_notices (
	id       text PRIMARY KEY,
	alert_id bigint,		-- null: a test
	kind     text NOT NULL CHECK (kind IN ('firing', 'repeated', 'escalated', 'resolved', 'test')),
	address  text NOT NULL,
	notice   jsonb NOT NULL,	-- the task's argument
	state    text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
	attempts integer NOT NULL DEFAULT 0,
	detail   text NOT NULL DEFAULT '',
	made_at  timestamptz NOT NULL DEFAULT now(),
	ended_at timestamptz
);
CREATE INDEX alert_notices_alert ON jobfleet.alert_notices (alert_id);
CREATE INDEX alert_notices_made ON jobfleet.alert_notices (made_at);
CREATE INDEX alert_notices_waiting ON jobfleet.alert_notices (made_at) WHERE state = 'waiting';

CREATE FUNCTION jobfleet.alert_silenced(name text, subject text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT EXISTS (SELECT FROM jobfleet.alert_silences s
		WHERE s.name = $1 AND s.subject IN ('', $2) AND s.until > $3)
$$;

-- A rule fires. An open alert of that name and subject becomes the rule's. Returns its id.
CREATE FUNCTION jobfleet.alert_fire(name text, subject text, level text, message text, at timestamptz)
RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO jobfleet.alerts (name, subject, level, message, first_at, last_at, ruled)
	VALUES ($1, $2, $3, $4, $5, $5, true)
	ON CONFLICT (name, subject) WHERE resolved_at IS NULL
	DO UPDATE SET ruled = true, last_at = excluded.last_at, level = excluded.level,
		message = excluded.message
	RETURNING id
$$;

-- A notice and its task, or nothing if that id is there already. True: it is new.
CREATE FUNCTION jobfleet.alert_notify(id text, alert_id bigint, kind text, address text, notice jsonb,
	queue text, at timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO jobfleet.alert_notices (id, alert_id, kind, address, notice, made_at)
	VALUES (alert_notify.id, alert_notify.alert_id, alert_notify.kind, alert_notify.address,
		alert_notify.notice, alert_notify.at)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	PERFORM jobfleet.enqueue(task => 'jobfleet.deliver_alert', args => jsonb_build_array(alert_notify.notice),
		queue => alert_notify.queue, expires => clock_timestamp() + interval '1 day',
		task_id => alert_notify.id, headers => '{"ignore_result": true}');
	RETURN true;
END $$;

-- What an attempt to deliver came to: 'sent', 'failed' for good, or 'waiting' for another one.
CREATE FUNCTION jobfleet.alert_delivered(id text, state text, detail text, at timestamptz)
RETURNS void LANGUAGE sql AS $$
	UPDATE jobfleet.alert_notices n SET state = $2, detail = left($3, 1000), attempts = n.attempts + 1,
		ended_at = CASE WHEN $2 <> 'waiting' THEN $4 END
	WHERE n.id = $1 AND n.state <> 'sent'
$$;

-- Starts of a node again that was not stopped in order, as its heartbeat row shows them: a crash, a
-- kill, the watchdog. What worker_restarts counts.
CREATE TABLE jobfleet.worker_restarts (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	node    text NOT NULL,
	program text NOT NULL,
	at      timestamptz NOT NULL
);
CREATE INDEX worker_restarts_at ON jobfleet.worker_restarts (at);

CREATE FUNCTION jobfleet.note_restart() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO jobfleet.worker_restarts (node, program, at) VALUES (NEW.node, NEW.program, NEW.started_at);
	DELETE FROM jobfleet.worker_restarts r WHERE r.at < NEW.started_at - interval '7 days';
	RETURN NULL;
END $$;
CREATE TRIGGER workers_restarts AFTER UPDATE ON jobfleet.workers FOR EACH ROW
	WHEN (OLD.pid <> NEW.pid AND OLD.state <> 'stopped')
	EXECUTE FUNCTION jobfleet.note_restart();

-- Alerts are kept for a year after their end, notices and silences for a month.
CREATE FUNCTION jobfleet.alert_prune(at timestamptz) RETURNS void LANGUAGE sql AS $$
	DELETE FROM jobfleet.alerts a WHERE a.id IN (SELECT o.id FROM jobfleet.alerts o
		WHERE o.resolved_at < $1 - interval '1 year' LIMIT 1000);
	DELETE FROM jobfleet.alert_notices n WHERE n.id IN (SELECT o.id FROM jobfleet.alert_notices o
		WHERE o.made_at < $1 - interval '30 days' LIMIT 1000);
	DELETE FROM jobfleet.alert_silences s WHERE s.until < $1 - interval '30 days';
	DELETE FROM jobfleet.alert_states s WHERE s.phase = 'ok' AND s.seen < $1 - interval '2 days';
$$;
