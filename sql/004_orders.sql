-- SPDX-License-Identifier: MIT
-- What operators ordered: revokes and pauses. They are data, so that they survive the restart of
-- every component; keepers and dispatchers see a change by its sequence number. Also the keys of
-- unique enqueues.

CREATE SEQUENCE jobfleet.order_seq;	-- every change of revokes or pauses takes a number

CREATE TABLE jobfleet.revokes (
	kind       text NOT NULL CHECK (kind IN ('id', 'stamp')),
	name       text NOT NULL DEFAULT '',	-- stamp: the header's name
	value      text NOT NULL,		-- the task id, or the stamp's value
	ordered_by text NOT NULL DEFAULT '',
	ordered_at timestamptz NOT NULL DEFAULT now(),
	seq        bigint NOT NULL DEFAULT nextval('jobfleet.order_seq'),
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

-- Who holds a unique key; a key past its time is free.
CREATE TABLE jobfleet.unique_keys (
	key        text PRIMARY KEY,
	task_id    text NOT NULL,
	expires_at timestamptz NOT NULL,
	taken_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX unique_keys_expires ON jobfleet.unique_keys (expires_at);
