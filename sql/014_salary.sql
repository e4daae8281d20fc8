-- SPDX-License-Identifier: MIT
-- Salary figures as other programs lean on them: indexes for the queries that are asked, views, merging,
-- retention, the trail of changes, export and erasure.
--
--   public.current_salary_benchmarks, public.market_overview      the views
--   public.upsert_salary_benchmark, public.cleanup_salary_data    merging, retention
--   jobfleet.export_salary_data, jobfleet.erase_salary_data       by request
--   jobfleet.salary_changes      what changed, by whom; only ever added to
--   jobfleet.salary_reads        who read which answer
--   jobfleet.salary_checks       when a figure was last found unchanged (jobfleet.salary_checked)

-- ---- ranges ----

-- Holds a column to a range if the rows that are there keep to it, else names it.
CREATE FUNCTION jobfleet.adopt_range(tab text, col text, range text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I CHECK (%I %s)', tab,
		format('%s_%s_range', tab, col), col, range);
EXCEPTION
WHEN duplicate_object THEN
	NULL;   -- the adopted table has one of that name
WHEN OTHERS THEN
	PERFORM jobfleet.note_difference(tab, format('column %s cannot be held to %s: %s', col, range, SQLERRM));
END $$;

DO $$
BEGIN
	PERFORM
		jobfleet.adopt_range('salary_benchmarks', 'mean_salary', '>= 0'),
		jobfleet.adopt_range('salary_benchmarks', 'percentile_25', '>= 0'),
		jobfleet.adopt_range('salary_benchmarks', 'percentile_75', '>= 0'),
		jobfleet.adopt_range('salary_benchmarks', 'percentile_90', '>= 0'),
		jobfleet.adopt_range('salary_benchmarks', 'data_freshness_days', '>= 0'),
		jobfleet.adopt_range('market_data', 'job_growth_rate', '>= -100'),
		jobfleet.adopt_range('market_data', 'unemployment_rate', 'BETWEEN 0 AND 100'),
		jobfleet.adopt_range('market_data', 'remote_work_percentage', 'BETWEEN 0 AND 100'),
		jobfleet.adopt_range('market_data', 'cost_of_living_index', '> 0'),
		jobfleet.adopt_range('salary_data_cache', 'ttl_seconds', '>= 0'),
		jobfleet.adopt_range('salary_data_cache', 'cache_hits', '>= 0'),
		jobfleet.adopt_range('salary_data_cache', 'cache_misses', '>= 0'),
		jobfleet.adopt_range('salary_data_cache', 'hit_rate', 'BETWEEN 0 AND 100');
END $$;

-- ---- indexes ----

-- 25 on the four tables, these 13 with the 12 of 002_domain.sql, which serve:
--   salary_benchmarks_pkey, market_data_pkey, confidence_scores_pkey, salary_data_cache_pkey
--                                     a row by its id, as the trail of changes names it
--   salary_benchmarks_once            one place with or without an occupation (both views, confidence's
--                                     evidence, callers); the key of upserts
--   market_data_once                  the same for market figures
--   confidence_scores_once            the scores of a place, by kind (view); the key of upserts
--   salary_benchmarks_cache_key, market_data_cache_key, confidence_scores_cache_key
--                                     the rows of one answer, when Redis is away
--   salary_data_cache_cache_key_key   one answer's tracking, and all of a key's beginning is scanned in Redis
--   salary_data_cache_expiry          what has ended: the hourly clean-up
DO $$
BEGIN
	PERFORM
		-- an occupation across places, newest years first
		jobfleet.adopt_index('salary_benchmarks', 'salary_benchmarks_occupation', 'INDEX @ (occupation, year DESC, location)'),
		-- a source's rows, the stalest or the freshest first: refreshing, what a sync need not ask
		jobfleet.adopt_index('salary_benchmarks', 'salary_benchmarks_source', 'INDEX @ (data_source, updated_at)'),
		-- the best paid of a year, the newest year there is, and years to let go
		jobfleet.adopt_index('salary_benchmarks', 'salary_benchmarks_year', 'INDEX @ (year, median_salary)'),
		-- what changed since, whatever the source: copies elsewhere follow by it
		jobfleet.adopt_index('salary_benchmarks', 'salary_benchmarks_updated', 'INDEX @ (updated_at)'),
		-- by SOC code, however the occupation is spelled (the salary program notes soc, loading soc_code):
		-- across places, and within one, where titles of one code lend each other sources (confidence).
		-- Queries say it word for word: coalesce(metadata ->> 'soc', metadata ->> 'soc_code')
		jobfleet.adopt_index('salary_benchmarks', 'salary_benchmarks_soc', 'INDEX @ ((coalesce(metadata ->> ''soc'', metadata ->> ''soc_code'')), location, year DESC)'),
		-- an occupation across places; most market rows of other programs have none
		jobfleet.adopt_index('market_data', 'market_data_occupation', 'INDEX @ (occupation, year DESC, location) WHERE occupation IS NOT NULL'),
		-- a source's rows, the stalest first
		jobfleet.adopt_index('market_data', 'market_data_source', 'INDEX @ (data_source, updated_at)'),
		-- places of a year by unemployment, and years to let go
		jobfleet.adopt_index('market_data', 'market_data_year', 'INDEX @ (year, unemployment_rate)'),
		-- all scores of a question: a cached answer whose scores have ended
		jobfleet.adopt_index('confidence_scores', 'confidence_scores_place', 'INDEX @ (location, occupation)'),
		-- the least certain first: what to refresh
		jobfleet.adopt_index('confidence_scores', 'confidence_scores_weakest', 'INDEX @ (data_type, overall_confidence_score)'),
		-- the stalest scores first, and years to let go
		jobfleet.adopt_index('confidence_scores', 'confidence_scores_year', 'INDEX @ (year, updated_at)'),
		-- is this key of Redis tracked: clean-up
		jobfleet.adopt_index('salary_data_cache', 'salary_data_cache_redis_key', 'INDEX @ (redis_key)'),
		-- tracking rows that are over, the oldest first: retention
		jobfleet.adopt_index('salary_data_cache', 'salary_data_cache_over', 'INDEX @ ((coalesce(expires_at, updated_at))) WHERE NOT is_active');
END $$;

-- updated_at moves with a change, not with an update that changes nothing.
DO $$
DECLARE
	tab text;
BEGIN
	FOREACH tab IN ARRAY ARRAY['salary_benchmarks', 'market_data', 'confidence_scores', 'salary_data_cache'] LOOP
		EXECUTE format('CREATE OR REPLACE TRIGGER jobfleet_touch BEFORE UPDATE ON public.%I FOR EACH ROW '
			'WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION jobfleet.touch_updated_at()', tab);
	END LOOP;
END $$;

-- ---- when a figure was last found unchanged ----

-- A source that says the same again does not touch the figure's row (its indexes, its trail), only this.
CREATE TABLE jobfleet.salary_checks (
	table_name text NOT NULL CHECK (table_name IN ('salary_benchmarks', 'market_data')),
	row_id     text NOT NULL,	-- text, as adopted tables have ids of other types
	checked_at timestamptz NOT NULL,
	PRIMARY KEY (row_id, table_name)
) WITH (fillfactor = 70);
COMMENT ON TABLE jobfleet.salary_checks IS 'when a figure was last found unchanged; its own row says when it changed';

-- When a figure was last written or found unchanged:
-- jobfleet.salary_checked('salary_benchmarks', b.id::text, b.updated_at).
CREATE FUNCTION jobfleet.salary_checked(tab text, row_id text, updated_at timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT greatest($3, (SELECT k.checked_at FROM jobfleet.salary_checks k
		WHERE k.row_id = $2 AND k.table_name = $1))
$$;

-- ---- who read what ----

-- Reads of salary answers by tasks, written in batches by the salary program. The only rows here that
-- say something about a caller: origin is the client's own name for itself (the message's `origin`).
CREATE TABLE jobfleet.salary_reads (
	read_at   timestamptz NOT NULL,
	cache_key text NOT NULL,
	origin    text NOT NULL DEFAULT '',
	task_id   text,
	outcome   text NOT NULL CHECK (outcome IN ('hit', 'stale', 'miss'))
);
-- retention: rows come in the order of time, so one page of an index serves thousands
CREATE INDEX salary_reads_at ON jobfleet.salary_reads USING brin (read_at);
-- export and erasure of what one client asked
CREATE INDEX salary_reads_origin ON jobfleet.salary_reads (origin, read_at);
-- who asked for this answer
CREATE INDEX salary_reads_key ON jobfleet.salary_reads (cache_key, read_at);
COMMENT ON TABLE jobfleet.salary_reads IS 'reads of salary answers by tasks: when, which, for whom';
COMMENT ON COLUMN jobfleet.salary_reads.origin IS 'the client''s own name for itself, as its message has it';

-- ---- which batches of reads have come ----

-- Reads wait in Redis and come in batches. A batch handed in twice, as by a flush that died before Redis
-- forgot it, is known by its id and counts once.
CREATE TABLE jobfleet.salary_read_batches (
	id       uuid PRIMARY KEY,
	reads    integer NOT NULL,
	taken_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE jobfleet.salary_read_batches IS 'batches of jobfleet.salary_reads that have come, so that none counts twice';

-- ---- what a sync bought ----

-- What the sources said, in the least parts that they can be asked for (workers/salary/question.h), so
-- that a sync that was interrupted, and another one, ask for nothing twice. Public figures only.
CREATE TABLE jobfleet.salary_parts (
	source   text NOT NULL,
	name     text NOT NULL,
	said     text NOT NULL,	-- as the source worded it; '' = it has no such thing
	asked_at timestamptz NOT NULL,
	PRIMARY KEY (source, name)
);
COMMENT ON TABLE jobfleet.salary_parts IS 'series and table cells that sync_salary_data asked the sources for; kept 30 days';

-- ---- the trail of changes ----

-- Every change of a figure or a score. An insert has its row in new, a delete in old, an update what
-- differs in both; updated_at and an update that changes nothing are left out. salary_data_cache is
-- left out, too: it counts, and what it tracks are copies. Nobody writes here but the triggers, and
-- nobody deletes but retention and erasure.
CREATE TABLE jobfleet.salary_changes (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	changed_at timestamptz NOT NULL DEFAULT now(),
	changed_by text NOT NULL DEFAULT session_user,
	program    text NOT NULL DEFAULT current_setting('application_name'),
	task_id    text DEFAULT nullif(current_setting('jobfleet.task_id', true), ''),
	table_name text NOT NULL,
	action     text NOT NULL CHECK (action IN ('insert', 'update', 'delete', 'truncate')),
	row_id     text,
	location   text,
	occupation text,
	old        jsonb,
	new        jsonb
);
-- the history of a figure, as people ask for it; export and erasure
CREATE INDEX salary_changes_place ON jobfleet.salary_changes (location, occupation);
COMMENT ON TABLE jobfleet.salary_changes IS 'every change of a salary or market figure or a score: who, when, what, before and after';
COMMENT ON COLUMN jobfleet.salary_changes.changed_by IS 'the login role; program and task_id say more where jobfleet''s own programs wrote';

-- Statement by statement, not row by row: a load of a million rows calls each once. SECURITY DEFINER,
-- as who changes figures may not write the trail himself.
CREATE FUNCTION jobfleet.note_salary_insert() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO jobfleet.salary_changes (table_name, action, row_id, location, occupation, new)
	SELECT TG_TABLE_NAME, 'insert', n.id::text, n.location, n.occupation, to_jsonb(n) FROM new_rows n;
	RETURN NULL;
END $$;

-- Joined by hashes: a plan made for one row would cross a million with a million. What crosses a row with
-- its members must be a loop all the same and is then thought so dear that compiling it looks cheap,
-- half a second for one changed row: hence jit off.
CREATE FUNCTION jobfleet.note_salary_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_nestloop = off SET jit = off AS $$
BEGIN
	INSERT INTO jobfleet.salary_changes (table_name, action, row_id, location, occupation, old, new)
	SELECT TG_TABLE_NAME, 'update', p.id::text, p.location, p.occupation, d.old, d.new
	FROM (SELECT n.id, n.location, n.occupation, to_jsonb(o) AS before, to_jsonb(n) AS after
		FROM old_rows o JOIN new_rows n USING (id) WHERE o.* IS DISTINCT FROM n.*
		OFFSET 0) p     -- else each row would be made into JSON again for each of its members
	CROSS JOIN LATERAL (SELECT jsonb_object_agg(e.key, e.value) AS old,
			jsonb_object_agg(e.key, p.after -> e.key) AS new
		FROM jsonb_each(p.before) e WHERE e.key <> 'updated_at' AND e.value <> p.after -> e.key) d
	WHERE d.old IS NOT NULL;
	RETURN NULL;
END $$;

-- The other way round: each row's check is found by the key.
CREATE FUNCTION jobfleet.note_salary_delete() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
	INSERT INTO jobfleet.salary_changes (table_name, action, row_id, location, occupation, old)
	SELECT TG_TABLE_NAME, 'delete', o.id::text, o.location, o.occupation, to_jsonb(o) FROM old_rows o;
	DELETE FROM jobfleet.salary_checks k USING old_rows o
	WHERE k.row_id = o.id::text AND k.table_name = TG_TABLE_NAME;
	RETURN NULL;
END $$;

CREATE FUNCTION jobfleet.note_salary_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO jobfleet.salary_changes (table_name, action) VALUES (TG_TABLE_NAME, 'truncate');
	DELETE FROM jobfleet.salary_checks k WHERE k.table_name = TG_TABLE_NAME;
	RETURN NULL;
END $$;

DO $$
DECLARE
	tab text;
BEGIN
	FOREACH tab IN ARRAY ARRAY['salary_benchmarks', 'market_data', 'confidence_scores'] LOOP
		EXECUTE format('CREATE TRIGGER jobfleet_note_insert AFTER INSERT ON public.%I '
			'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT '
			'EXECUTE FUNCTION jobfleet.note_salary_insert()', tab);
		EXECUTE format('CREATE TRIGGER jobfleet_note_update AFTER UPDATE ON public.%I '
			'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT '
			'EXECUTE FUNCTION jobfleet.note_salary_update()', tab);
		EXECUTE format('CREATE TRIGGER jobfleet_note_delete AFTER DELETE ON public.%I '
			'REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT '
			'EXECUTE FUNCTION jobfleet.note_salary_delete()', tab);
		EXECUTE format('CREATE TRIGGER jobfleet_note_truncate AFTER TRUNCATE ON public.%I '
			'FOR EACH STATEMENT EXECUTE FUNCTION jobfleet.note_salary_truncate()', tab);
	END LOOP;
END $$;

-- Nobody rewrites the trail by mistake, its owner included; retention and erasure say that they mean it.
CREATE FUNCTION jobfleet.keep_salary_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'DELETE' OR current_setting('jobfleet.erasing', true) IS DISTINCT FROM 'yes' THEN
		RAISE insufficient_privilege USING MESSAGE = 'jobfleet.salary_changes is only ever added to',
			HINT = 'jobfleet.erase_salary_data and public.cleanup_salary_data remove from it.';
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON jobfleet.salary_changes
	FOR EACH STATEMENT EXECUTE FUNCTION jobfleet.keep_salary_changes();

-- ---- merging ----

-- How far an answer is from what was asked: the areas it was widened by, then whether it is of a wider
-- group of occupations. 0 is exact.
CREATE FUNCTION jobfleet.benchmark_distance(metadata jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN jsonb_typeof(metadata -> 'steps_wider') = 'number'
		THEN 2 * (metadata ->> 'steps_wider')::numeric ELSE 0 END
		+ CASE WHEN metadata -> 'group' = 'true' THEN 1 ELSE 0 END
$$;

-- Do two answers to one question come from the same release? They do if they are of the same area and
-- occupation and have the same median: a revision moves that, and figures of two releases never mix.
CREATE FUNCTION jobfleet.same_release(old_median numeric, old jsonb, new_median numeric, new jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT old_median = new_median
		AND (old ->> 'area_code', old ->> 'soc', old -> 'group')
			IS NOT DISTINCT FROM (new ->> 'area_code', new ->> 'soc', new -> 'group')
$$;

-- What is noted of a benchmark: as the newer answer says. Of the same release the older one's numbers
-- stay where the newer has none, and so do the lower bounds among the columns that stay.
CREATE FUNCTION jobfleet.merge_benchmark_notes(old jsonb, new jsonb, stay text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(old)
			WHERE key IN ('percentile_10', 'employment', 'error_percent')) || new
		|| CASE WHEN jsonb_typeof(old -> 'lower_bounds') = 'array' AND (old -> 'lower_bounds') ?| stay
			THEN jsonb_build_object('lower_bounds', (SELECT jsonb_agg(b ORDER BY b) FROM (
				SELECT b FROM jsonb_array_elements_text(old -> 'lower_bounds') b WHERE b = ANY (stay)
				UNION SELECT b FROM jsonb_array_elements_text(CASE jsonb_typeof(new -> 'lower_bounds')
					WHEN 'array' THEN new -> 'lower_bounds' ELSE '[]' END) b) AS bounds))
			ELSE '{}' END
$$;

-- What stands after a newer answer to the same question of the same source and year. See
-- upsert_salary_benchmark for the rules.
CREATE FUNCTION jobfleet.merge_benchmark(old public.salary_benchmarks, new public.salary_benchmarks)
RETURNS public.salary_benchmarks LANGUAGE plpgsql STABLE AS $$
DECLARE
	m public.salary_benchmarks := old;
	stay text[];
BEGIN
	m.cache_key := coalesce(new.cache_key, old.cache_key);
	IF jobfleet.benchmark_distance(new.metadata) > jobfleet.benchmark_distance(old.metadata) THEN
		RETURN m;
	END IF;
	-- a row that loading keeps up to date (jobfleet.refresh_posting_pay) stays one, figures and notes
	IF old.data_source = 'postings' AND old.metadata ? 'basis' AND new.metadata -> 'basis' IS NULL THEN
		new.metadata := coalesce(new.metadata, '{}') || (SELECT jsonb_object_agg(key, value)
			FROM jsonb_each(old.metadata) WHERE key IN ('basis', 'currency', 'soc_code'));
		new.median_salary := old.median_salary;
		new.mean_salary := old.mean_salary;
		new.percentile_25 := old.percentile_25;
		new.percentile_75 := old.percentile_75;
		new.percentile_90 := old.percentile_90;
		new.sample_size := old.sample_size;
	END IF;
	m.median_salary := new.median_salary;
	m.mean_salary := new.mean_salary;
	m.percentile_25 := new.percentile_25;
	m.percentile_75 := new.percentile_75;
	m.percentile_90 := new.percentile_90;
	m.sample_size := new.sample_size;
	m.source_confidence_score := new.source_confidence_score;
	m.metadata := coalesce(new.metadata, '{}');
	IF jobfleet.same_release(old.median_salary, old.metadata, new.median_salary, new.metadata) THEN
		m.mean_salary := coalesce(new.mean_salary, old.mean_salary);
		m.percentile_25 := coalesce(new.percentile_25, old.percentile_25);
		m.percentile_75 := coalesce(new.percentile_75, old.percentile_75);
		m.percentile_90 := coalesce(new.percentile_90, old.percentile_90);
		m.sample_size := coalesce(new.sample_size, old.sample_size);
		stay := array_remove(ARRAY[
			CASE WHEN new.mean_salary IS NULL THEN 'mean_salary' END,
			CASE WHEN new.percentile_25 IS NULL THEN 'percentile_25' END,
			CASE WHEN new.percentile_75 IS NULL THEN 'percentile_75' END,
			CASE WHEN new.percentile_90 IS NULL THEN 'percentile_90' END], NULL);
		m.metadata := jobfleet.merge_benchmark_notes(coalesce(old.metadata, '{}'), m.metadata, stay);
	END IF;
	-- days that went by since it was written are no news
	IF m IS DISTINCT FROM old OR coalesce(abs(new.data_freshness_days - old.data_freshness_days
			- (current_date - old.updated_at::date)) > 1,
			(new.data_freshness_days IS NULL) <> (old.data_freshness_days IS NULL)) THEN
		m.data_freshness_days := new.data_freshness_days;
	END IF;
	RETURN m;
END $$;

-- Stores benchmarks: an object or an array of them, its members named as the columns (location,
-- occupation, median_salary, data_source and year must be there). Amounts are JSON numbers or texts;
-- both reach the table digit by digit. Of the same question (place, occupation, industry, experience,
-- education), source, year and quarter:
--   the newer answer replaces the older;
--   never one of a wider area or a wider group of occupations one that is nearer to the question;
--   where the newer one is of the same release (jobfleet.same_release) and lacks mean, percentiles or
--   sample size that are there, these stay;
--   a row of loading's (source postings) keeps its figures and what loading noted of them;
--   a row that would stay as it is is not touched (an age in days that only went on is no change):
--   jobfleet.salary_checks notes that it was found so.
-- Of two for one question in one call the later counts. Gives for each, by its place from 1, what
-- became of it (inserted, updated, unchanged, or kept where the older was nearer) and the row as it
-- stands then.
CREATE FUNCTION public.upsert_salary_benchmark(benchmarks jsonb)
RETURNS TABLE (place integer, outcome text, benchmark jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known text[] := ARRAY['location', 'occupation', 'industry', 'experience_level', 'education_level',
		'median_salary', 'mean_salary', 'percentile_25', 'percentile_75', 'percentile_90', 'sample_size',
		'data_source', 'source_confidence_score', 'data_freshness_days', 'year', 'quarter', 'cache_key',
		'metadata'];
	list jsonb := CASE jsonb_typeof(benchmarks) WHEN 'array' THEN benchmarks ELSE jsonb_build_array(benchmarks) END;
	wrong text;
	new_ids text[];
	changed_ids text[];
BEGIN
	SELECT min(k) INTO wrong FROM jsonb_array_elements(list) v, jsonb_object_keys(v) k WHERE k <> ALL (known);
	IF wrong IS NOT NULL THEN
		RAISE invalid_parameter_value USING MESSAGE = format('upsert_salary_benchmark: %s is no field', wrong),
			HINT = 'There are ' || array_to_string(known, ', ') || '.';
	END IF;
	WITH given AS (
		SELECT DISTINCT ON (location, occupation, nullif(industry, ''), nullif(experience_level, ''),
			nullif(education_level, ''), data_source, year, quarter) g.*
		FROM jsonb_array_elements(list) WITH ORDINALITY AS v (v, n),
			jsonb_populate_record(NULL::public.salary_benchmarks, v.v) g
		-- in one order, so that two calls at once never wait for each other in a circle
		ORDER BY location, occupation, nullif(industry, ''), nullif(experience_level, ''),
			nullif(education_level, ''), data_source, year, quarter, v.n DESC),
	stored AS (
		INSERT INTO public.salary_benchmarks AS b (location, occupation, industry, experience_level,
			education_level, median_salary, mean_salary, percentile_25, percentile_75, percentile_90,
			sample_size, data_source, source_confidence_score, data_freshness_days, year, quarter, cache_key,
			metadata)
		SELECT location, occupation, nullif(industry, ''), nullif(experience_level, ''),
			nullif(education_level, ''), median_salary, mean_salary, percentile_25, percentile_75,
			percentile_90, sample_size, data_source, source_confidence_score, data_freshness_days, year,
			quarter, cache_key, coalesce(metadata, '{}')
		FROM given
		ON CONFLICT (location, occupation, industry, experience_level, education_level, data_source, year, quarter)
		DO UPDATE SET (median_salary, mean_salary, percentile_25, percentile_75, percentile_90, sample_size,
			source_confidence_score, data_freshness_days, cache_key, metadata) = (
			SELECT m.median_salary, m.mean_salary, m.percentile_25, m.percentile_75, m.percentile_90,
				m.sample_size, m.source_confidence_score, m.data_freshness_days, m.cache_key, m.metadata
			FROM jobfleet.merge_benchmark(b.*, excluded.*) m)
		WHERE b.* IS DISTINCT FROM jobfleet.merge_benchmark(b.*, excluded.*)
		RETURNING b.id::text AS id, b.xmax = 0 AS fresh)
	SELECT coalesce(array_agg(id) FILTER (WHERE fresh), '{}'), coalesce(array_agg(id), '{}')
	INTO new_ids, changed_ids FROM stored;
	RETURN QUERY
	WITH found AS (
		SELECT v.n::integer AS n, b.id::text AS id, to_jsonb(b) AS b,
			jobfleet.benchmark_distance(g.metadata) > jobfleet.benchmark_distance(b.metadata) AS wider
		FROM jsonb_array_elements(list) WITH ORDINALITY AS v (v, n)
		CROSS JOIN LATERAL jsonb_populate_record(NULL::public.salary_benchmarks, v.v) g
		JOIN public.salary_benchmarks b ON b.location = g.location AND b.occupation = g.occupation
			AND b.data_source = g.data_source AND b.year = g.year
			AND (b.industry, b.experience_level, b.education_level, b.quarter) IS NOT DISTINCT FROM
				(nullif(g.industry, ''), nullif(g.experience_level, ''), nullif(g.education_level, ''), g.quarter)),
	checked AS (
		INSERT INTO jobfleet.salary_checks AS k (table_name, row_id, checked_at)
		SELECT DISTINCT 'salary_benchmarks', f.id, now() FROM found f WHERE f.id <> ALL (changed_ids) ORDER BY 2
		ON CONFLICT (row_id, table_name) DO UPDATE SET checked_at = excluded.checked_at
		WHERE k.checked_at < excluded.checked_at)
	SELECT f.n, CASE WHEN f.id = ANY (new_ids) THEN 'inserted' WHEN f.wider THEN 'kept'
		WHEN f.id = ANY (changed_ids) THEN 'updated' ELSE 'unchanged' END, f.b
	FROM found f ORDER BY f.n;
END $$;
COMMENT ON FUNCTION public.upsert_salary_benchmark IS 'stores benchmarks; newer answers replace older ones, wider ones never nearer ones';

-- The same for market figures, which stand on their own each: of the same source, year, quarter and
-- area a newer answer replaces the figures it has and leaves the others; one of a nearer area replaces
-- the row, one of a wider area changes nothing.
CREATE FUNCTION jobfleet.merge_market(old public.market_data, new public.market_data)
RETURNS public.market_data LANGUAGE plpgsql STABLE AS $$
DECLARE
	m public.market_data := old;
	far boolean := jobfleet.benchmark_distance(new.metadata) > jobfleet.benchmark_distance(old.metadata);
	same boolean := old.metadata ->> 'area_code' IS NOT DISTINCT FROM new.metadata ->> 'area_code';
BEGIN
	m.cache_key := coalesce(new.cache_key, old.cache_key);
	IF far THEN
		RETURN m;
	END IF;
	m.job_count := coalesce(new.job_count, CASE WHEN same THEN old.job_count END);
	m.job_growth_rate := coalesce(new.job_growth_rate, CASE WHEN same THEN old.job_growth_rate END);
	m.unemployment_rate := coalesce(new.unemployment_rate, CASE WHEN same THEN old.unemployment_rate END);
	m.cost_of_living_index := coalesce(new.cost_of_living_index, CASE WHEN same THEN old.cost_of_living_index END);
	m.demand_score := coalesce(new.demand_score, CASE WHEN same THEN old.demand_score END);
	m.remote_work_percentage := coalesce(new.remote_work_percentage,
		CASE WHEN same THEN old.remote_work_percentage END);
	m.metadata := coalesce(new.metadata, '{}');
	RETURN m;
END $$;

CREATE FUNCTION jobfleet.store_market_data(figures jsonb) RETURNS TABLE (place integer, figure jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	changed_ids text[];
BEGIN
	WITH stored AS (
		INSERT INTO public.market_data AS b (location, occupation, industry, job_count, job_growth_rate,
			unemployment_rate, cost_of_living_index, demand_score, remote_work_percentage, data_source, year,
			quarter, cache_key, metadata)
		SELECT DISTINCT ON (location, nullif(occupation, ''), nullif(industry, ''), data_source, year, quarter)
			location, nullif(occupation, ''), nullif(industry, ''), job_count, job_growth_rate,
			unemployment_rate, cost_of_living_index, demand_score, remote_work_percentage, data_source, year,
			quarter, cache_key, coalesce(metadata, '{}')
		FROM jsonb_array_elements(figures) WITH ORDINALITY AS v (v, n),
			jsonb_populate_record(NULL::public.market_data, v.v) g
		ORDER BY location, nullif(occupation, ''), nullif(industry, ''), data_source, year, quarter, v.n DESC
		ON CONFLICT (location, occupation, industry, data_source, year, quarter)
		DO UPDATE SET (job_count, job_growth_rate, unemployment_rate, cost_of_living_index, demand_score,
			remote_work_percentage, cache_key, metadata) = (
			SELECT m.job_count, m.job_growth_rate, m.unemployment_rate, m.cost_of_living_index, m.demand_score,
				m.remote_work_percentage, m.cache_key, m.metadata
			FROM jobfleet.merge_market(b.*, excluded.*) m)
		WHERE b.* IS DISTINCT FROM jobfleet.merge_market(b.*, excluded.*)
		RETURNING b.id::text AS id)
	SELECT coalesce(array_agg(id), '{}') INTO changed_ids FROM stored;
	RETURN QUERY
	WITH found AS (
		SELECT v.n::integer AS n, b.id::text AS id, to_jsonb(b) AS b
		FROM jsonb_array_elements(figures) WITH ORDINALITY AS v (v, n)
		CROSS JOIN LATERAL jsonb_populate_record(NULL::public.market_data, v.v) g
		JOIN public.market_data b ON b.location = g.location AND b.data_source = g.data_source
			AND b.year = g.year AND (b.occupation, b.industry, b.quarter) IS NOT DISTINCT FROM
				(nullif(g.occupation, ''), nullif(g.industry, ''), g.quarter)),
	checked AS (
		INSERT INTO jobfleet.salary_checks AS k (table_name, row_id, checked_at)
		SELECT DISTINCT 'market_data', f.id, now() FROM found f WHERE f.id <> ALL (changed_ids) ORDER BY 2
		ON CONFLICT (row_id, table_name) DO UPDATE SET checked_at = excluded.checked_at
		WHERE k.checked_at < excluded.checked_at)
	SELECT f.n, f.b FROM found f ORDER BY f.n;
END $$;
COMMENT ON FUNCTION jobfleet.store_market_data IS 'stores market figures; newer ones replace older ones, one by one';

-- ---- views ----

-- Whoever may read a view needs no right to what stands behind it.

-- Of each source the newest row of a question, and of these the one its source is surest of; between
-- equals the newer, then the one with more answers behind it. sources counts what there is to compare,
-- lowest_median and highest_median span it; confidence is the overall score of place and occupation.
CREATE VIEW public.current_salary_benchmarks AS
	SELECT best.*, score.overall_confidence_score, score.updated_at AS scored_at
	FROM (
		SELECT DISTINCT ON (location, occupation, industry, experience_level, education_level)
			id, location, occupation, industry, experience_level, education_level, median_salary, mean_salary,
			percentile_25, percentile_75, percentile_90, sample_size, data_source, source_confidence_score,
			data_freshness_days, year, quarter, cache_key, metadata,
			coalesce(metadata ->> 'level', '') AS level, coalesce(metadata ->> 'area', location) AS area,
			coalesce(metadata -> 'lower_bounds' ? 'median_salary', false) AS median_is_lower_bound,
			count(*) OVER question AS sources, min(median_salary) OVER question AS lowest_median,
			max(median_salary) OVER question AS highest_median, updated_at,
			greatest(updated_at, (SELECT k.checked_at FROM jobfleet.salary_checks k
				WHERE k.row_id = newest.id::text AND k.table_name = 'salary_benchmarks')) AS checked_at
		FROM (
			SELECT DISTINCT ON (location, occupation, industry, experience_level, education_level, data_source) b.*
			FROM public.salary_benchmarks b
			ORDER BY location, occupation, industry, experience_level, education_level, data_source,
				year DESC, quarter DESC NULLS LAST, updated_at DESC) AS newest
		WINDOW question AS (PARTITION BY location, occupation, industry, experience_level, education_level)
		ORDER BY location, occupation, industry, experience_level, education_level,
			source_confidence_score DESC NULLS LAST, year DESC, sample_size DESC NULLS LAST, data_source) AS best
	LEFT JOIN LATERAL (
		SELECT c.overall_confidence_score, c.updated_at FROM public.confidence_scores c
		WHERE c.data_type = 'salary' AND c.location = best.location AND c.occupation = best.occupation
			AND c.industry IS NOT DISTINCT FROM best.industry
		ORDER BY c.year DESC, c.quarter DESC NULLS LAST, c.updated_at DESC LIMIT 1) AS score ON true;
COMMENT ON VIEW public.current_salary_benchmarks IS 'the best current benchmark of each place and occupation, with its confidence';

-- Of each place (and occupation, where there is one) every figure as the newest year has it, whichever
-- source that is of: of that year's rows the one of the nearest area (a metro's before its state's),
-- then the newest.
CREATE VIEW public.market_overview AS
	SELECT place.*, score.overall_confidence_score, score.updated_at AS scored_at
	FROM (
		SELECT location, occupation, industry,
			(array_agg(job_count ORDER BY rank)
				FILTER (WHERE job_count IS NOT NULL))[1] AS job_count,
			(array_agg(job_growth_rate ORDER BY rank)
				FILTER (WHERE job_growth_rate IS NOT NULL))[1] AS job_growth_rate,
			(array_agg(unemployment_rate ORDER BY rank)
				FILTER (WHERE unemployment_rate IS NOT NULL))[1] AS unemployment_rate,
			(array_agg(cost_of_living_index ORDER BY rank)
				FILTER (WHERE cost_of_living_index IS NOT NULL))[1] AS cost_of_living_index,
			(array_agg(demand_score ORDER BY rank)
				FILTER (WHERE demand_score IS NOT NULL))[1] AS demand_score,
			(array_agg(remote_work_percentage ORDER BY rank)
				FILTER (WHERE remote_work_percentage IS NOT NULL))[1] AS remote_work_percentage,
			array_agg(DISTINCT data_source::text) AS sources, max(year) AS year, max(updated_at) AS updated_at
		FROM (
			SELECT m.*, ROW (-year, CASE jsonb_typeof(metadata -> 'steps_wider') WHEN 'number'
					THEN (metadata ->> 'steps_wider')::numeric ELSE 0 END,
				-coalesce(quarter, 0), now() - updated_at, data_source, id::text) AS rank
			FROM public.market_data m) AS ranked
		GROUP BY location, occupation, industry) AS place
	LEFT JOIN LATERAL (
		SELECT c.overall_confidence_score, c.updated_at FROM public.confidence_scores c
		WHERE c.data_type = 'market' AND c.location = place.location
			AND c.occupation IS NOT DISTINCT FROM place.occupation
			AND c.industry IS NOT DISTINCT FROM place.industry
		ORDER BY c.year DESC, c.quarter DESC NULLS LAST, c.updated_at DESC LIMIT 1) AS score ON true;
COMMENT ON VIEW public.market_overview IS 'the newest market figures of each place and occupation, all sources together';

-- ---- retention ----

-- Removes what is over, at most n rows of each kind, the oldest first; more says that there is more of
-- it. SECURITY DEFINER, as workers may not delete from the trail of changes or of reads.
--   figures and scores of years before the last keep_years, unless nothing newer answers the question
--   tracking rows of cached answers that ended keep_cache ago
--   reads and changes older than keep_reads and keep_changes
CREATE FUNCTION public.cleanup_salary_data(keep_years integer DEFAULT 10, keep_cache interval DEFAULT '30 days',
	keep_reads interval DEFAULT '90 days', keep_changes interval DEFAULT '400 days', n integer DEFAULT 10000)
RETURNS TABLE (what text, removed bigint, more boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- a batch is small, however much is over: its rows are found one by one
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	first_year integer := extract(year FROM now() AT TIME ZONE 'UTC')::integer - keep_years + 1;
BEGIN
	IF keep_years < 1 OR n < 1 OR least(keep_cache, keep_reads, keep_changes) < '0' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'cleanup_salary_data: keep_years and n are above 0, '
			'no interval is below it';
	END IF;
	PERFORM set_config('jobfleet.erasing', 'yes', true);
	what := 'salary_benchmarks';
	DELETE FROM public.salary_benchmarks d WHERE d.id IN (
		SELECT b.id FROM public.salary_benchmarks b WHERE b.year < first_year AND EXISTS (
			SELECT FROM public.salary_benchmarks o WHERE o.location = b.location AND o.occupation = b.occupation
				AND o.year >= first_year AND (o.industry, o.experience_level, o.education_level)
				IS NOT DISTINCT FROM (b.industry, b.experience_level, b.education_level))
		ORDER BY b.year LIMIT n FOR UPDATE OF b SKIP LOCKED);
	GET DIAGNOSTICS removed = ROW_COUNT;
	more := removed = n;
	RETURN NEXT;
	what := 'market_data';
	DELETE FROM public.market_data d WHERE d.id IN (
		SELECT b.id FROM public.market_data b WHERE b.year < first_year AND EXISTS (
			SELECT FROM public.market_data o WHERE o.location = b.location AND o.year >= first_year
				AND (o.occupation, o.industry) IS NOT DISTINCT FROM (b.occupation, b.industry))
		ORDER BY b.year LIMIT n FOR UPDATE OF b SKIP LOCKED);
	GET DIAGNOSTICS removed = ROW_COUNT;
	more := removed = n;
	RETURN NEXT;
	what := 'confidence_scores';
	DELETE FROM public.confidence_scores d WHERE d.id IN (
		SELECT b.id FROM public.confidence_scores b WHERE b.year < first_year AND EXISTS (
			SELECT FROM public.confidence_scores o WHERE o.data_type = b.data_type AND o.location = b.location
				AND o.year >= first_year
				AND (o.occupation, o.industry) IS NOT DISTINCT FROM (b.occupation, b.industry))
		ORDER BY b.year LIMIT n FOR UPDATE OF b SKIP LOCKED);
	GET DIAGNOSTICS removed = ROW_COUNT;
	more := removed = n;
	RETURN NEXT;
	what := 'salary_data_cache';
	DELETE FROM public.salary_data_cache d WHERE d.id IN (
		SELECT c.id FROM public.salary_data_cache c
		WHERE NOT c.is_active AND coalesce(c.expires_at, c.updated_at) < now() - keep_cache
		ORDER BY coalesce(c.expires_at, c.updated_at) LIMIT n FOR UPDATE OF c SKIP LOCKED);
	GET DIAGNOSTICS removed = ROW_COUNT;
	more := removed = n;
	RETURN NEXT;
	what := 'salary_reads';
	DELETE FROM jobfleet.salary_reads d WHERE d.ctid = ANY (ARRAY(
		SELECT r.ctid FROM jobfleet.salary_reads r WHERE r.read_at < now() - keep_reads
		LIMIT n FOR UPDATE OF r SKIP LOCKED));
	GET DIAGNOSTICS removed = ROW_COUNT;
	more := removed = n;
	RETURN NEXT;
	-- no batch is handed in again after so long
	what := 'salary_read_batches';
	DELETE FROM jobfleet.salary_read_batches d WHERE d.id IN (
		SELECT r.id FROM jobfleet.salary_read_batches r WHERE r.taken_at < now() - interval '30 days'
		LIMIT n FOR UPDATE OF r SKIP LOCKED);
	GET DIAGNOSTICS removed = ROW_COUNT;
	more := removed = n;
	RETURN NEXT;
	what := 'salary_changes';
	DELETE FROM jobfleet.salary_changes d WHERE d.id IN (
		SELECT h.id FROM (SELECT c.id, c.changed_at FROM jobfleet.salary_changes c ORDER BY c.id LIMIT n) h
		WHERE h.changed_at < now() - keep_changes);
	GET DIAGNOSTICS removed = ROW_COUNT;
	more := removed = n;
	RETURN NEXT;
	PERFORM set_config('jobfleet.erasing', '', true);
END $$;
COMMENT ON FUNCTION public.cleanup_salary_data IS 'removes figures, tracking rows, reads and changes that are over; in bounded batches';

-- ---- export and erasure by request ----

-- What there is of a place, an occupation, an answer (cache_key) or a caller (origin, as in
-- jobfleet.salary_reads); of several that are named, what is of all of them. Figures and their changes
-- say nothing about callers: a request by origin finds reads alone, and a task_id in the trail of
-- changes leads to a caller only through these.
CREATE FUNCTION jobfleet.salary_request(location text, occupation text, cache_key text, origin text)
RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF coalesce(location, occupation, cache_key, origin) IS NULL THEN
		RAISE invalid_parameter_value USING MESSAGE = 'name a location, an occupation, a cache_key or an origin';
	END IF;
END $$;

-- The keys of answers about a place or an occupation, or the one that is named.
CREATE FUNCTION jobfleet.salary_keys(location text, occupation text, cache_key text) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT $3 WHERE $3 IS NOT NULL AND $1 IS NULL AND $2 IS NULL
	UNION SELECT c.cache_key FROM public.salary_data_cache c
	WHERE ($1 IS NOT NULL OR $2 IS NOT NULL) AND ($1 IS NULL OR c.metadata ->> 'location' = $1)
		AND ($2 IS NULL OR c.metadata ->> 'occupation' = $2) AND ($3 IS NULL OR c.cache_key = $3)
	UNION SELECT b.cache_key FROM public.salary_benchmarks b
	WHERE ($1 IS NOT NULL OR $2 IS NOT NULL) AND b.cache_key IS NOT NULL AND ($1 IS NULL OR b.location = $1)
		AND ($2 IS NULL OR b.occupation = $2) AND ($3 IS NULL OR b.cache_key = $3)
	UNION SELECT m.cache_key FROM public.market_data m
	WHERE ($1 IS NOT NULL OR $2 IS NOT NULL) AND m.cache_key IS NOT NULL AND ($1 IS NULL OR m.location = $1)
		AND ($2 IS NULL OR m.occupation = $2) AND ($3 IS NULL OR m.cache_key = $3)
$$;

-- Everything there is of what is named, one object a row; source is the table.
CREATE FUNCTION jobfleet.export_salary_data(location text DEFAULT NULL, occupation text DEFAULT NULL,
	cache_key text DEFAULT NULL, origin text DEFAULT NULL)
RETURNS TABLE (source text, data jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	keys text[];
BEGIN
	PERFORM jobfleet.salary_request($1, $2, $3, $4);
	keys := ARRAY(SELECT jobfleet.salary_keys($1, $2, $3));
	IF $4 IS NULL THEN
		RETURN QUERY SELECT 'salary_benchmarks', to_jsonb(b) FROM public.salary_benchmarks b
			WHERE ($1 IS NULL OR b.location = $1) AND ($2 IS NULL OR b.occupation = $2)
				AND ($3 IS NULL OR b.cache_key = $3);
		RETURN QUERY SELECT 'market_data', to_jsonb(b) FROM public.market_data b
			WHERE ($1 IS NULL OR b.location = $1) AND ($2 IS NULL OR b.occupation = $2)
				AND ($3 IS NULL OR b.cache_key = $3);
		RETURN QUERY SELECT 'confidence_scores', to_jsonb(b) FROM public.confidence_scores b
			WHERE ($1 IS NULL OR b.location = $1) AND ($2 IS NULL OR b.occupation = $2)
				AND ($3 IS NULL OR b.cache_key = $3);
		RETURN QUERY SELECT 'salary_data_cache', to_jsonb(c) FROM public.salary_data_cache c
			WHERE c.cache_key = ANY (keys);
		RETURN QUERY SELECT 'salary_changes', to_jsonb(h) FROM jobfleet.salary_changes h
			WHERE ($1 IS NULL OR h.location = $1) AND ($2 IS NULL OR h.occupation = $2)
				AND ($3 IS NULL OR $3 IN (h.old ->> 'cache_key', h.new ->> 'cache_key'))
			ORDER BY h.id;
	END IF;
	RETURN QUERY SELECT 'salary_reads', to_jsonb(r) FROM jobfleet.salary_reads r
		WHERE ($4 IS NULL OR r.origin = $4)
			AND (coalesce($1, $2, $3) IS NULL OR r.cache_key = ANY (keys)) ORDER BY r.read_at;
END $$;
COMMENT ON FUNCTION jobfleet.export_salary_data IS 'everything there is of a place, an occupation, an answer or a caller';

-- What was erased by request: that it was, not what it was. A caller is named by a hash alone, so that
-- whoever asks again can be answered.
CREATE TABLE jobfleet.salary_erasures (
	id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	erased_at timestamptz NOT NULL DEFAULT now(),
	erased_by text NOT NULL DEFAULT session_user,
	reason    text NOT NULL CHECK (reason <> ''),
	request   jsonb NOT NULL,
	erased    jsonb NOT NULL
);
COMMENT ON TABLE jobfleet.salary_erasures IS 'erasures by request: when, by whom, why, how many rows of what';

-- Erases what export_salary_data gives, the trail of changes and of reads included, in one transaction.
-- Gives how many rows went from each table. What stands in Redis is no longer tracked then:
-- cleanup_expired_cache deletes it there. Reads that wait in Redis still come with the next
-- monitor_cache_performance: erase after one.
CREATE FUNCTION jobfleet.erase_salary_data(reason text, location text DEFAULT NULL, occupation text DEFAULT NULL,
	cache_key text DEFAULT NULL, origin text DEFAULT NULL)
RETURNS TABLE (source text, erased bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	keys text[];
	sums jsonb := '{}';
	tab text;
BEGIN
	PERFORM jobfleet.salary_request($2, $3, $4, $5);
	PERFORM set_config('jobfleet.erasing', 'yes', true);
	keys := ARRAY(SELECT jobfleet.salary_keys($2, $3, $4));
	IF $5 IS NULL THEN
		FOREACH tab IN ARRAY ARRAY['salary_benchmarks', 'market_data', 'confidence_scores'] LOOP
			EXECUTE format('DELETE FROM public.%I b WHERE ($1 IS NULL OR b.location = $1) '
				'AND ($2 IS NULL OR b.occupation = $2) AND ($3 IS NULL OR b.cache_key = $3)', tab)
				USING $2, $3, $4;
			GET DIAGNOSTICS erased = ROW_COUNT;
			sums := sums || jsonb_build_object(tab, erased);
		END LOOP;
		DELETE FROM public.salary_data_cache c WHERE c.cache_key = ANY (keys);
		GET DIAGNOSTICS erased = ROW_COUNT;
		sums := sums || jsonb_build_object('salary_data_cache', erased);
		-- the deletions above stand in the trail as well
		DELETE FROM jobfleet.salary_changes h WHERE ($2 IS NULL OR h.location = $2)
			AND ($3 IS NULL OR h.occupation = $3)
			AND ($4 IS NULL OR $4 IN (h.old ->> 'cache_key', h.new ->> 'cache_key'));
		GET DIAGNOSTICS erased = ROW_COUNT;
		sums := sums || jsonb_build_object('salary_changes', erased);
	END IF;
	DELETE FROM jobfleet.salary_reads r WHERE ($5 IS NULL OR r.origin = $5)
		AND (coalesce($2, $3, $4) IS NULL OR r.cache_key = ANY (keys));
	GET DIAGNOSTICS erased = ROW_COUNT;
	sums := sums || jsonb_build_object('salary_reads', erased);
	PERFORM set_config('jobfleet.erasing', '', true);
	INSERT INTO jobfleet.salary_erasures (reason, request, erased) VALUES ($1,
		jsonb_strip_nulls(jsonb_build_object('location', $2, 'occupation', $3, 'cache_key', $4,
			'origin_sha256', encode(sha256(convert_to($5, 'UTF8')), 'hex'))), sums);
	RETURN QUERY SELECT key, value::bigint FROM jsonb_each(sums);
END $$;
COMMENT ON FUNCTION jobfleet.erase_salary_data IS 'erases what export_salary_data gives, and says how much that was';

-- In public, too, a new function may be called by everybody: here by the roles of grant_rights alone.
REVOKE EXECUTE ON FUNCTION public.upsert_salary_benchmark, public.cleanup_salary_data FROM PUBLIC;
