-- SPDX-License-Identifier: MIT
-- Group roles with the least rights that do the work. Login roles are the operator's: GRANT
-- jobfleet_worker TO …. Roles belong to the whole cluster, so they may exist already, another
-- database may be making them now, and the migrating role may not be allowed to make any: then the
-- rights are given by SELECT jobfleet.grant_rights() once an administrator has made them.
--
-- jobfleet_worker      reads and writes rows; alters nothing, truncates nothing
-- jobfleet_dispatcher  the same for the fleet's own tables; reads the domain's
-- jobfleet_enqueue     may call jobfleet.enqueue and nothing else
-- jobfleet_reader      reads the domain's tables and the fleet's state, no task's arguments

DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['jobfleet_worker', 'jobfleet_dispatcher', 'jobfleet_enqueue', 'jobfleet_reader']
	LOOP
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

-- Runs one statement for a role if the role exists.
CREATE FUNCTION jobfleet.grant_to(role text, statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
		EXECUTE replace(statement, '@', quote_ident(role));
	END IF;
END $$;

-- Safe to repeat. A later migration that adds tables replaces this function and calls it.
CREATE FUNCTION jobfleet.grant_rights() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	domain text := 'public.raw_job_collections, public.job_processing_log, public.processed_job_data, '
		'public.enhanced_jobs, public.job_sources, public.companies, public.salary_benchmarks, '
		'public.market_data, public.confidence_scores, public.salary_data_cache';
	own text := 'jobfleet.ledger, jobfleet.pending, jobfleet.steps, jobfleet.starts, jobfleet.dead_letters, '
		'jobfleet.result_backlog, jobfleet.workers, jobfleet.provider_quota, jobfleet.source_state, '
		'jobfleet.alerts';
	schedules text := 'jobfleet.routes, jobfleet.schedules, jobfleet.schedule_fires';
	state text := 'jobfleet.workers, jobfleet.provider_quota, jobfleet.source_state, jobfleet.alerts, '
		'jobfleet.schedules, jobfleet.schedule_fires, jobfleet.migrations, jobfleet.schema_differences';
	role text;
BEGIN
	FOREACH role IN ARRAY ARRAY['jobfleet_worker', 'jobfleet_dispatcher', 'jobfleet_enqueue', 'jobfleet_reader']
	LOOP
		PERFORM jobfleet.grant_to(role, 'GRANT USAGE ON SCHEMA jobfleet TO @');
	END LOOP;
	FOREACH role IN ARRAY ARRAY['jobfleet_worker', 'jobfleet_dispatcher'] LOOP
		PERFORM jobfleet.grant_to(role, 'GRANT USAGE ON SCHEMA public TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || own || ' TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT SELECT ON jobfleet.migrations TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.enqueue, jobfleet.raise_alert TO @');
	END LOOP;
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || domain || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT SELECT ON ' || schedules || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || schedules || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT SELECT ON ' || domain || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_enqueue', 'GRANT EXECUTE ON FUNCTION jobfleet.enqueue TO @');
	PERFORM jobfleet.grant_to('jobfleet_reader', 'GRANT USAGE ON SCHEMA public TO @');
	PERFORM jobfleet.grant_to('jobfleet_reader', 'GRANT SELECT ON ' || domain || ', ' || state || ' TO @');
END $$;

-- PostgreSQL lets everybody call a new function; here only the roles above.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA jobfleet FROM PUBLIC;
-- jobfleet.touch_updated_at stays callable by nobody: a trigger needs no right of its caller's.
SELECT jobfleet.grant_rights();
