-- SPDX-License-Identifier: MIT
-- The rights of 016_rights.sql, with the tables and functions that came since.

-- Safe to repeat. A later migration that adds tables replaces this function and calls it.
CREATE OR REPLACE FUNCTION jobfleet.grant_rights() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	domain text := 'public.raw_job_collections, public.job_processing_log, public.processed_job_data, '
		'public.enhanced_jobs, public.job_sources, public.companies, public.salary_benchmarks, '
		'public.market_data, public.confidence_scores, public.salary_data_cache';
	own text := 'jobfleet.ledger, jobfleet.pending, jobfleet.steps, jobfleet.starts, jobfleet.dead_letters, '
		'jobfleet.result_backlog, jobfleet.workers, jobfleet.provider_quota, jobfleet.source_state, '
		'jobfleet.alerts, jobfleet.revokes, jobfleet.pauses, jobfleet.unique_keys, jobfleet.joins, '
		'jobfleet.watermarks, jobfleet.asking, jobfleet.pay_left, jobfleet.salary_checks, '
		'jobfleet.salary_read_batches, jobfleet.salary_parts';
	-- sql/018_alerts.sql
	alerting text := 'jobfleet.alert_states, jobfleet.alert_silences, jobfleet.alert_notices, '
		'jobfleet.worker_restarts';
	-- sql/020_audit.sql: what the accounts read, and what only dispatchers write
	accounts text := 'jobfleet.open_tasks, jobfleet.marks, jobfleet.put_backs';
	-- written by workers, changed by nobody; only retention and erasure delete
	reads text := 'jobfleet.salary_reads';
	views text := 'public.current_salary_benchmarks, public.market_overview';
	-- written by triggers and by erasure alone; readers see what changed, not who asked for what
	trail text := 'jobfleet.salary_changes, jobfleet.salary_erasures';
	schedules text := 'jobfleet.routes, jobfleet.schedules, jobfleet.schedule_fires, jobfleet.schedule_skips';
	-- who changes them: operators, by functions; and by hand: what they order and send again
	settings text := 'jobfleet.schedule_settings, jobfleet.operator_actions';
	orders text := 'jobfleet.pending, jobfleet.dead_letters, jobfleet.result_backlog, jobfleet.revokes, '
		'jobfleet.pauses, jobfleet.unique_keys, jobfleet.joins, jobfleet.alerts';
	state text := 'jobfleet.workers, jobfleet.provider_quota, jobfleet.source_state, jobfleet.alerts, '
		'jobfleet.schedules, jobfleet.schedule_fires, jobfleet.schedule_skips, jobfleet.schedule_settings, '
		'jobfleet.migrations, jobfleet.schema_differences, '
		'jobfleet.revokes, jobfleet.pauses, jobfleet.watermarks, jobfleet.leases';
	-- of sql/020_audit.sql: written by tasks, counted by whoever drills
	drill text := 'jobfleet.drill_runs, jobfleet.drill_intents, jobfleet.drill_begins, jobfleet.drill_effects, '
		'jobfleet.drill_injections';
	role text;
BEGIN
	FOREACH role IN ARRAY ARRAY['jobfleet_worker', 'jobfleet_dispatcher', 'jobfleet_enqueue', 'jobfleet_reader',
		'jobfleet_viewer', 'jobfleet_operator', 'jobfleet_admin']
	LOOP
		PERFORM jobfleet.grant_to(role, 'GRANT USAGE ON SCHEMA jobfleet TO @');
	END LOOP;
	FOREACH role IN ARRAY ARRAY['jobfleet_worker', 'jobfleet_dispatcher'] LOOP
		PERFORM jobfleet.grant_to(role, 'GRANT USAGE ON SCHEMA public TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || own || ' TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || alerting || ' TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.alert_silenced, jobfleet.alert_fire, '
			'jobfleet.alert_notify, jobfleet.alert_delivered, jobfleet.alert_prune TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT SELECT ON jobfleet.migrations TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT USAGE ON SEQUENCE jobfleet.order_seq TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.enqueue, jobfleet.raise_alert, '
			'jobfleet.unique_take, jobfleet.near_candidates, jobfleet.retire_reposted TO @');
	END LOOP;
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || domain || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT SELECT, INSERT ON ' || reads || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT SELECT ON ' || views || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT EXECUTE ON FUNCTION public.upsert_salary_benchmark, '
		'public.cleanup_salary_data, jobfleet.store_market_data, jobfleet.merge_benchmark, jobfleet.merge_market, '
		'jobfleet.merge_benchmark_notes, jobfleet.benchmark_distance, jobfleet.same_release, '
		'jobfleet.salary_checked TO @');
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT SELECT ON ' || schedules || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT SELECT ON jobfleet.posting_pay TO @');
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT EXECUTE ON FUNCTION jobfleet.expire_postings, '
		'jobfleet.refresh_posting_pay, jobfleet.percentile, jobfleet.join_notes, jobfleet.retire_reposted, '
		'jobfleet.near_candidates TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || schedules || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT SELECT ON ' || domain || ', ' || views || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT SELECT (read_at, outcome) ON jobfleet.salary_reads TO @');
	PERFORM jobfleet.grant_to('jobfleet_enqueue', 'GRANT EXECUTE ON FUNCTION jobfleet.enqueue TO @');
	PERFORM jobfleet.grant_to('jobfleet_reader', 'GRANT USAGE ON SCHEMA public TO @');
	PERFORM jobfleet.grant_to('jobfleet_reader', 'GRANT SELECT ON ' || domain || ', ' || state || ', ' || views
		|| ', ' || trail || ', ' || drill || ' TO @');
	-- what waits and what was done, without arguments and results
	PERFORM jobfleet.grant_to('jobfleet_reader', 'GRANT SELECT (id, task_id, generation, nesting, retries, '
		'hop, kind, task, queue, priority, due, state, claimed_until, attempts, reason, created_at, sent_at) '
		'ON jobfleet.pending TO @');
	PERFORM jobfleet.grant_to('jobfleet_reader', 'GRANT SELECT (task_id, generation, nesting, retries, outcome, '
		'final, task, queue, cause, follow_ups, node, sent_at, started_at, settled_at, join_id, join_index) '
		'ON jobfleet.ledger TO @');
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT SELECT ON jobfleet.schedule_settings TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT SELECT ON jobfleet.schedule_settings TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT SELECT, INSERT, UPDATE ON jobfleet.leases TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT EXECUTE ON FUNCTION jobfleet.hold_lease, '
		'jobfleet.leave_lease, jobfleet.begin_scaling TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT EXECUTE ON FUNCTION jobfleet.fire_schedule, '
		'jobfleet.schedule_open, jobfleet.replace_runs, jobfleet.release_held, jobfleet.result_records, '
		'jobfleet.note_ends, jobfleet.data_age, jobfleet.quota_left TO @');
	FOREACH role IN ARRAY ARRAY['jobfleet_worker', 'jobfleet_dispatcher', 'jobfleet_reader', 'jobfleet_viewer',
		'jobfleet_operator', 'jobfleet_admin']
	LOOP
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.begin_action, jobfleet.end_action, '
			'jobfleet.role_missing, jobfleet.is_member, jobfleet.schedule_stats, jobfleet.data_age, '
			'jobfleet.quota_left TO @');
	END LOOP;
	-- sql/019_figures.sql; heartbeats add to the totals by their trigger alone
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT DELETE, UPDATE ON jobfleet.source_calls TO @');
	FOREACH role IN ARRAY ARRAY['jobfleet_worker', 'jobfleet_dispatcher', 'jobfleet_reader', 'jobfleet_viewer',
		'jobfleet_operator', 'jobfleet_admin']
	LOOP
		PERFORM jobfleet.grant_to(role, 'GRANT SELECT ON jobfleet.totals, jobfleet.source_calls TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.task_figures, jobfleet.queue_figures, '
			'jobfleet.source_figures, jobfleet.stage_figures, jobfleet.quality_figures, '
			'jobfleet.field_figures TO @');
	END LOOP;
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT SELECT, INSERT, UPDATE, DELETE ON jobfleet.marks, '
		'jobfleet.put_backs TO @');
	PERFORM jobfleet.grant_to('jobfleet_dispatcher', 'GRANT EXECUTE ON FUNCTION jobfleet.count_mark, '
		'jobfleet.mend_stuck, jobfleet.settle_alert TO @');
	FOREACH role IN ARRAY ARRAY['jobfleet_dispatcher', 'jobfleet_viewer', 'jobfleet_operator', 'jobfleet_admin'] LOOP
		PERFORM jobfleet.grant_to(role, 'GRANT SELECT ON ' || accounts || ' TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.worker_holds, jobfleet.loose_tasks, '
			'jobfleet.task_matches, jobfleet.audit_places, jobfleet.audit_sent, jobfleet.audit_strays, '
			'jobfleet.audit_unrecorded, jobfleet.open_arguments TO @');
	END LOOP;
	-- the roles of sql/015_operations.sql: a viewer reads all and changes nothing
	FOREACH role IN ARRAY ARRAY['jobfleet_viewer', 'jobfleet_operator', 'jobfleet_admin'] LOOP
		PERFORM jobfleet.grant_to(role, 'GRANT USAGE ON SCHEMA public TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT SELECT ON ' || domain || ', ' || own || ', ' || schedules || ', '
			|| state || ', ' || settings || ', ' || reads || ', ' || views || ', ' || trail || ', ' || drill || ' TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.task_stats, jobfleet.schedule_open TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT SELECT ON ' || alerting || ' TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.alert_silenced TO @');
	END LOOP;
	FOREACH role IN ARRAY ARRAY['jobfleet_operator', 'jobfleet_admin'] LOOP
		PERFORM jobfleet.grant_to(role, 'GRANT INSERT, UPDATE, DELETE ON ' || orders || ' TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT INSERT, UPDATE, DELETE ON jobfleet.alert_silences, '
			'jobfleet.alert_notices TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.alert_notify TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT USAGE ON SEQUENCE jobfleet.order_seq TO @');
		PERFORM jobfleet.grant_to(role, 'GRANT EXECUTE ON FUNCTION jobfleet.enqueue, jobfleet.raise_alert, '
			'jobfleet.unique_take, jobfleet.schedule_pause, jobfleet.schedule_run TO @');
	END LOOP;
	PERFORM jobfleet.grant_to('jobfleet_worker', 'GRANT INSERT ON jobfleet.drill_begins, jobfleet.drill_effects TO @');
	PERFORM jobfleet.grant_to('jobfleet_admin', 'GRANT INSERT, UPDATE, DELETE ON ' || drill || ' TO @');
	PERFORM jobfleet.grant_to('jobfleet_admin', 'GRANT EXECUTE ON FUNCTION jobfleet.drill_parts, jobfleet.drill_faults, '
		'jobfleet.drill_times, jobfleet.drill_account TO @');
	PERFORM jobfleet.grant_to('jobfleet_admin', 'GRANT EXECUTE ON FUNCTION jobfleet.schedule_put, '
		'jobfleet.schedule_remove TO @');
END $$;

-- PostgreSQL lets everybody call a new function; here only the roles above.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA jobfleet FROM PUBLIC;
SELECT jobfleet.grant_rights();
