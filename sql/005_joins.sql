-- SPDX-License-Identifier: MIT
-- Chord joins. Redis counts them (Celery's format); what stands here lets a join be finished after
-- a crash between result and count, and rebuilt when Redis has lost its keys.

ALTER TABLE jobfleet.ledger
	ADD COLUMN join_id   text,	-- group id of the chord this attempt is a part of
	ADD COLUMN join_index integer,	-- place among the parts; null = none given
	ADD COLUMN join_part text;	-- raw JSON of the part's value, or of its error
CREATE INDEX ledger_join ON jobfleet.ledger (join_id) WHERE join_id IS NOT NULL AND final;

CREATE TABLE jobfleet.joins (
	join_id    text PRIMARY KEY,
	size       integer,		-- expected parts; null = nobody saw it
	body       text NOT NULL,	-- raw JSON of the body's signature with its options
	state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
	created_at timestamptz NOT NULL DEFAULT now(),
	moved_at   timestamptz NOT NULL DEFAULT now()	-- last part or change
);
CREATE INDEX joins_open ON jobfleet.joins (moved_at) WHERE state = 'open';
