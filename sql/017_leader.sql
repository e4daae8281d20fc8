-- SPDX-License-Identifier: MIT
-- What one dispatcher at a time does: leases, and what follows from them.
--
-- Every function here that asks for the time takes it as a parameter (at), so that years can be
-- simulated.

-- Who does what only one shall do. A holder beats about every second. Whether it still lives is seen
-- by the beat, watched on the watcher's own steady clock, never by the times here: a clock that jumps
-- neither takes a lease away nor keeps a dead holder in it. The times are for people.
CREATE TABLE jobfleet.leases (
	name       text PRIMARY KEY,
	holder     text,		-- one life of one program; null: given back
	term       bigint NOT NULL CHECK (term > 0),	-- raised at every change of holder
	beat       bigint NOT NULL,	-- raised at every renewal and change
	taken_at   timestamptz NOT NULL,
	renewed_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL
);
COMMENT ON TABLE jobfleet.leases IS 'which dispatcher leads';

-- Takes the lease if nobody has it, if it is the holder's own, or if it still beats as `watched`: the
-- caller has then seen that beat for as long as the lease lasts. Answers how it stands after that.
CREATE FUNCTION jobfleet.hold_lease(name text, holder text, lasts interval, at timestamptz,
	watched bigint DEFAULT NULL, OUT held boolean, OUT term bigint, OUT beat bigint, OUT leader text,
	OUT rest interval)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	l jobfleet.leases;
BEGIN
	SELECT * INTO l FROM jobfleet.leases x WHERE x.name = hold_lease.name;
	-- who only looks on locks nothing and writes nothing
	IF NOT FOUND OR l.holder IS NULL OR l.holder = hold_lease.holder OR l.beat = hold_lease.watched THEN
		INSERT INTO jobfleet.leases AS x (name, holder, term, beat, taken_at, renewed_at, expires_at)
		VALUES (hold_lease.name, hold_lease.holder, 1, 1, hold_lease.at, hold_lease.at,
			hold_lease.at + hold_lease.lasts)
		ON CONFLICT ON CONSTRAINT leases_pkey DO UPDATE SET holder = excluded.holder,
			term = x.term + (x.holder IS DISTINCT FROM excluded.holder)::integer, beat = x.beat + 1,
			taken_at = CASE WHEN x.holder = excluded.holder THEN x.taken_at ELSE excluded.taken_at END,
			renewed_at = excluded.renewed_at, expires_at = excluded.expires_at
		WHERE x.holder IS NULL OR x.holder = excluded.holder OR x.beat = hold_lease.watched;
		SELECT * INTO l FROM jobfleet.leases x WHERE x.name = hold_lease.name;
	END IF;
	held := l.holder IS NOT DISTINCT FROM hold_lease.holder;
	term := l.term;
	beat := l.beat;
	leader := l.holder;
	rest := l.expires_at - hold_lease.at;
END $$;
COMMENT ON FUNCTION jobfleet.hold_lease IS 'takes or renews a lease; without one to take, looks who has it';

-- An orderly end: the next one need not wait until the lease is over. False: it was not the holder's.
CREATE FUNCTION jobfleet.leave_lease(name text, holder text, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE jobfleet.leases x SET holder = NULL, beat = x.beat + 1, expires_at = leave_lease.at
	WHERE x.name = leave_lease.name AND x.holder = leave_lease.holder;
	RETURN FOUND;
END $$;

-- The leader is about to scale a program; written down beside what operators do. Null: the lease is
-- another's by now, or of another term, so nothing may be done.
CREATE FUNCTION jobfleet.begin_scaling(holder text, term bigint, arguments jsonb, reason text, at timestamptz)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made bigint;
BEGIN
	PERFORM FROM jobfleet.leases l WHERE l.name = 'dispatcher' AND l.holder = begin_scaling.holder
		AND l.term = begin_scaling.term FOR SHARE;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	INSERT INTO jobfleet.operator_actions AS a (at, operator, action, arguments, detail)
	VALUES (begin_scaling.at, 'autoscale', 'scale', begin_scaling.arguments, left(begin_scaling.reason, 2000))
	RETURNING a.id INTO made;
	RETURN made;
END $$;
