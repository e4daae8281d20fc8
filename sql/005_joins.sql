-- SPDX-License-Identifier: MIT
-- Chord joins. Redis counts them (Celery's format); what stands here lets a join be finished after
-- a crash between result and count, and rebuilt when Redis has lost its keys. A part writes to
-- jobfleet.joins only while its join has no row there, so parts of one chord do not wait for each
-- other; when the last part came, the ledger says.

ALTER TABLE jobfleet.ledger
	ADD COLUMN join_id    text,	-- group id of the chord this attempt is a part of
	ADD COLUMN join_task  text,	-- the id it counts under; null = its own
	ADD COLUMN join_index integer,	-- place among the parts; null = none given
	ADD COLUMN join_part  text;	-- raw JSON of the part's value, or of its error
CREATE INDEX ledger_join ON jobfleet.ledger (join_id, settled_at) WHERE join_id IS NOT NULL AND final;

CREATE TABLE jobfleet.joins (
	join_id    text PRIMARY KEY,
	size       integer,		-- expected parts; null = nobody saw it
	body       text NOT NULL,	-- raw JSON of the body's signature with its options
	root_id    text,		-- of the parts, for a body whose options name none
	parts      integer NOT NULL DEFAULT 0,	-- of all workers, as a sweeper saw them last
	state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
	created_at timestamptz NOT NULL DEFAULT now(),
	moved_at   timestamptz NOT NULL DEFAULT now(),	-- end, or last part that a sweeper saw
	look_at    timestamptz NOT NULL DEFAULT now() + interval '2 seconds'	-- sweepers' next look
);
CREATE INDEX joins_look ON jobfleet.joins (look_at) WHERE state = 'open';
CREATE INDEX joins_moved ON jobfleet.joins (moved_at);
