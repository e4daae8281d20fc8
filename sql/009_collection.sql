-- SPDX-License-Identifier: MIT
-- What collection keeps beside the raw answers: what each question last brought, and who asks it now.

-- A question is a source with what is asked of it, without pages and times (sha256, hex).
CREATE TABLE jobfleet.watermarks (
	question     text PRIMARY KEY,
	source       text NOT NULL,
	asked        jsonb NOT NULL,
	asked_at     timestamptz NOT NULL,
	succeeded_at timestamptz,	-- when the asking began that ended well
	run_id       text
);
COMMENT ON TABLE jobfleet.watermarks IS 'when each question to a source was last answered well';

-- Of equal calls under way at once one asks and the others wait for its answer. A lease, as a lock
-- of a session would not pass a pgbouncer.
CREATE TABLE jobfleet.asking (
	query_hash text PRIMARY KEY,	-- as in raw_job_collections
	task_id    text NOT NULL,
	until      timestamptz NOT NULL
);
COMMENT ON TABLE jobfleet.asking IS 'calls to sources that are under way';

-- How far a run of the pipeline is: its answers (by run id, and fresh ones of other runs by their own
-- ids), and for each what became of it. An answer whose task stands in the dead letters is not waited
-- for; its id stands in their body.
CREATE FUNCTION jobfleet.pipeline_state(run text, collections uuid[] DEFAULT '{}') RETURNS jsonb
LANGUAGE sql STABLE AS $$
	WITH answers AS (
		SELECT collection_id, timestamp, metadata,
			processing_status IN ('pending', 'processing') AS waiting
		FROM public.raw_job_collections
		WHERE run_id = pipeline_state.run OR collection_id = ANY (pipeline_state.collections)),
	logs AS (
		SELECT DISTINCT ON (l.collection_id) l.* FROM public.job_processing_log l
		JOIN answers a USING (collection_id) ORDER BY l.collection_id, l.started_at DESC),
	loads AS (
		SELECT processing_id, count(*) FILTER (WHERE load_status = 'pending') AS to_load,
			count(*) FILTER (WHERE load_status = 'failed') AS failed
		FROM public.processed_job_data JOIN logs USING (processing_id) GROUP BY 1),
	dead AS (
		SELECT DISTINCT d.id, d.task, d.reason, a.collection_id
		FROM jobfleet.dead_letters d
		LEFT JOIN answers a ON true LEFT JOIN logs l USING (collection_id)
		WHERE d.state = 'dead' AND (d.task_id = pipeline_state.run
			OR d.died_at >= (SELECT min(timestamp) FROM answers)
			AND (position(convert_to(a.collection_id::text, 'UTF8') IN d.body) > 0
				OR position(convert_to(l.processing_id::text, 'UTF8') IN d.body) > 0))),
	waiting AS (
		SELECT count(*) AS n FROM answers a
		LEFT JOIN logs l USING (collection_id) LEFT JOIN loads USING (processing_id)
		WHERE (a.waiting OR l.status IN ('pending', 'processing') OR to_load > 0)
			AND NOT EXISTS (SELECT FROM dead WHERE dead.collection_id = a.collection_id))
	SELECT jsonb_build_object(
		'answers', (SELECT count(*) FROM answers),
		'answers_waiting', (SELECT n FROM waiting),
		'collected', (SELECT coalesce(sum((metadata->>'job_count')::bigint), 0) FROM answers),
		'processed', (SELECT coalesce(sum(jobs_processed), 0) FROM logs),
		'refused', (SELECT coalesce(sum(jobs_failed), 0) FROM logs),
		'loaded', (SELECT coalesce(sum(jobs_loaded), 0) FROM logs),
		'duplicates', (SELECT coalesce(sum(jobs_merged), 0) FROM logs),
		'waiting_to_load', (SELECT coalesce(sum(to_load), 0) FROM loads),
		'failed_to_load', (SELECT coalesce(sum(failed), 0) FROM loads),
		'errors', (SELECT coalesce(jsonb_agg(DISTINCT x->>'error_message'), '[]')
			FROM logs, jsonb_array_elements(logs.errors) x),
		'dead_letters', (SELECT coalesce(jsonb_agg(DISTINCT format('%s %s: %s', id, task, reason)), '[]')
			FROM dead),
		'timings', (SELECT jsonb_build_object(
			'collection_s', (SELECT round(extract(epoch FROM max(timestamp) - min(timestamp))::numeric, 3)
				FROM answers),
			'processing_s', round(extract(epoch FROM max(completed_at) - min(started_at))::numeric, 3),
			'loading_s', round(extract(epoch FROM max(loaded_at) - max(completed_at))::numeric, 3))
			FROM logs))
$$;
COMMENT ON FUNCTION jobfleet.pipeline_state IS 'how far a run of the pipeline is, over all stages';
