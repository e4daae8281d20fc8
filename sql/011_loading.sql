-- SPDX-License-Identifier: MIT
-- What loading keeps up: whose account of a posting stands, expiry, pay figures of postings.

-- The source whose account a posting is (api_provider, publisher, external_id), and its weight then.
ALTER TABLE public.enhanced_jobs ADD COLUMN IF NOT EXISTS publisher text;
ALTER TABLE public.enhanced_jobs ADD COLUMN IF NOT EXISTS source_weight numeric(3,2) NOT NULL DEFAULT 0;
-- The same of every source that showed it.
ALTER TABLE public.job_sources ADD COLUMN IF NOT EXISTS weight numeric(3,2) NOT NULL DEFAULT 0;
ALTER TABLE public.job_sources ADD COLUMN IF NOT EXISTS quality_score numeric(3,2) NOT NULL DEFAULT 0;

COMMENT ON COLUMN public.enhanced_jobs.source_weight IS 'of the source whose account this is; times quality_score it decides between sources';
COMMENT ON COLUMN public.enhanced_jobs.last_seen IS 'when it was last written; job_sources.last_seen has each sighting';
COMMENT ON COLUMN public.enhanced_jobs.status IS 'expired: past expires_at, or not seen for expire_after; active again when seen';
COMMENT ON COLUMN public.job_sources.last_seen IS 'when the newest answer that showed it was collected';

-- Texts are packed once, when they are staged, and unpacked with every look: lz4, where the server has
-- it, takes a fraction of the time and little more room. Rows that are there stay as they are.
DO $$
BEGIN
	ALTER TABLE public.enhanced_jobs ALTER COLUMN description SET COMPRESSION lz4,
		ALTER COLUMN raw_data SET COMPRESSION lz4, ALTER COLUMN search SET COMPRESSION lz4;
	ALTER TABLE public.processed_job_data ALTER COLUMN processed_data SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
	RAISE NOTICE 'this server has no lz4: postings are packed as its default says';
END $$;

-- What may have to expire, oldest first.
CREATE INDEX IF NOT EXISTS enhanced_jobs_last_seen ON public.enhanced_jobs (last_seen) WHERE status = 'active';
CREATE INDEX IF NOT EXISTS enhanced_jobs_expires ON public.enhanced_jobs (expires_at)
	WHERE status = 'active' AND expires_at IS NOT NULL;

-- What is noted of a posting: of one account, but what is noted of its pay of that whose pay stands.
CREATE FUNCTION jobfleet.join_notes(account jsonb, pay jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
PARALLEL SAFE AS $$
	SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM (
		SELECT key, value FROM jsonb_each(account) WHERE key NOT LIKE 'salar%' AND key <> 'equity'
		UNION ALL SELECT key, value FROM jsonb_each(pay) WHERE key LIKE 'salar%' OR key = 'equity') AS notes
$$;

-- ---- expiry ----

-- Postings past their own end, or of which every sighting is older than so many seconds; at most n of
-- them. What a load holds just now is left to the next run.
CREATE FUNCTION jobfleet.expire_postings(after_s bigint, n integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	since timestamptz := now() - after_s * interval '1 second';
	done bigint;
BEGIN
	WITH gone AS (
		SELECT j.id FROM public.enhanced_jobs j
		WHERE j.status = 'active' AND (j.expires_at < now() OR (j.last_seen < since AND NOT EXISTS (
			SELECT FROM public.job_sources o WHERE o.job_id = j.id AND o.last_seen >= since)))
		LIMIT n FOR UPDATE OF j SKIP LOCKED)
	UPDATE public.enhanced_jobs j SET status = 'expired' FROM gone WHERE j.id = gone.id;
	GET DIAGNOSTICS done = ROW_COUNT;
	RETURN done;
END $$;

-- ---- pay figures of postings ----

-- null: its postings are not in the pay figures yet
ALTER TABLE public.job_processing_log ADD COLUMN IF NOT EXISTS pay_counted_at timestamptz;
CREATE INDEX IF NOT EXISTS job_processing_log_pay ON public.job_processing_log (pay_counted_at)
	WHERE loaded_at IS NOT NULL;
COMMENT ON COLUMN public.job_processing_log.pay_counted_at IS 'when its postings went into salary_benchmarks of source postings';

-- The occupation that a posting's pay is counted under: its SOC code, else its normalised title.
CREATE INDEX IF NOT EXISTS enhanced_jobs_pay ON public.enhanced_jobs (city, (coalesce(soc_code, dedupe_title)))
	WHERE salary_currency = 'USD' AND salary_annual_min IS NOT NULL AND salary_annual_max IS NOT NULL
		AND NOT salary_estimated AND NOT is_demo;

-- Of sorted amounts, between neighbours in proportion (as percentile_cont, which knows no numeric).
CREATE FUNCTION jobfleet.percentile(amounts numeric[], share numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT amounts[below] + (place - below) * (amounts[least(below + 1, cardinality(amounts))] - amounts[below])
	FROM (SELECT p AS place, floor(p)::int AS below
		FROM (SELECT 1 + share * (cardinality(amounts) - 1) AS p) AS at) AS at
$$;

-- Which offers count: real postings in USD (salary_benchmarks has no currency) of a known city, with
-- both ends of the range as the source stated them: not estimated, not demo, no on-target earnings,
-- no period that was only assumed. An offer is the middle of its annualised range.
CREATE VIEW jobfleet.posting_pay AS
	SELECT j.id, j.country, coalesce(j.state, '') AS state, j.city,
		coalesce(j.soc_code, j.dedupe_title) AS occupation,
		extract(year FROM coalesce(j.posted_at, j.first_seen) AT TIME ZONE 'UTC')::integer AS year,
		(j.salary_annual_min + j.salary_annual_max) / 2 AS amount,
		(coalesce(j.posted_at, j.first_seen) AT TIME ZONE 'UTC')::date AS day
	FROM public.enhanced_jobs j
	WHERE j.salary_currency = 'USD' AND j.salary_annual_min IS NOT NULL AND j.salary_annual_max IS NOT NULL
		AND NOT j.salary_estimated AND NOT j.is_demo AND j.city <> '' AND j.country <> ''
		AND NOT j.metadata @> '{"salary_ote": true}' AND NOT j.metadata @> '{"salary_period_assumed": true}';

-- Where postings counted before loads changed them (as rows of posting_pay): those figures are due too.
CREATE TABLE jobfleet.pay_left (
	country text NOT NULL,
	state   text NOT NULL,
	city    text NOT NULL,
	occupation text NOT NULL,
	year    integer NOT NULL
);
COMMENT ON TABLE jobfleet.pay_left IS 'pay figures that postings may have left since they were refreshed';

-- Brings the figures of place, occupation and year up to date that loads since have touched, or all:
-- written from 30 offers on, taken away below. names: SOC code to its title. Counts loads, and the
-- figures written and removed; a figure that stays as it is is not touched.
CREATE FUNCTION jobfleet.refresh_posting_pay(names jsonb, everything boolean,
	OUT loads integer, OUT written integer, OUT removed integer) LANGUAGE plpgsql AS $$
DECLARE
	ids uuid[];
BEGIN
	-- one at a time: the later one must not write the older figure
	PERFORM pg_advisory_xact_lock(hashtextextended('jobfleet.refresh_posting_pay', 0));
	ids := ARRAY(SELECT processing_id FROM public.job_processing_log
		WHERE loaded_at IS NOT NULL AND pay_counted_at IS NULL
		ORDER BY processing_id FOR UPDATE SKIP LOCKED);
	loads := cardinality(ids);
	UPDATE public.job_processing_log SET pay_counted_at = clock_timestamp()
	WHERE processing_id = ANY (ids);
	CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
		SELECT DISTINCT b.country, b.state, b.city, b.occupation, b.year
		FROM public.processed_job_data p JOIN jobfleet.posting_pay b ON b.id = p.job_id
		WHERE p.processing_id = ANY (ids) AND p.load_status = 'loaded' AND NOT everything
		UNION SELECT DISTINCT b.country, b.state, b.city, b.occupation, b.year
		FROM jobfleet.posting_pay b WHERE everything
		UNION SELECT l.country, l.state, l.city, l.occupation, l.year FROM jobfleet.pay_left l;
	-- what loads committed since the line before waits for the next time
	DELETE FROM jobfleet.pay_left l USING touched g WHERE l.country = g.country AND l.state = g.state
		AND l.city = g.city AND l.occupation = g.occupation AND l.year = g.year;
	ANALYZE touched;
	CREATE TEMPORARY TABLE figures ON COMMIT DROP AS
		SELECT left(concat_ws(', ', g.city, nullif(g.state, ''),
				CASE WHEN g.country <> 'US' OR g.state = '' THEN g.country END), 255) AS location,
			left(coalesce(names ->> g.occupation, g.occupation), 255) AS occupation,
			min(g.occupation) AS code, g.year,
			count(b.id)::integer AS n, array_agg(b.amount ORDER BY b.amount) AS amounts,
			round(avg(b.amount), 2) AS mean, max(b.day) AS newest
		FROM touched g LEFT JOIN jobfleet.posting_pay b ON b.city = g.city AND b.occupation = g.occupation
			AND b.country = g.country AND b.state = g.state AND b.year = g.year
		GROUP BY 1, 2, g.year;
	DELETE FROM public.salary_benchmarks s USING figures f
	WHERE s.data_source = 'postings' AND s.location = f.location AND s.occupation = f.occupation
		AND s.year = f.year AND f.n < 30;
	GET DIAGNOSTICS removed = ROW_COUNT;
	IF everything THEN
		DELETE FROM public.salary_benchmarks s WHERE s.data_source = 'postings' AND NOT EXISTS (
			SELECT FROM figures f WHERE f.location = s.location AND f.occupation = s.occupation
				AND f.year = s.year);
	END IF;
	INSERT INTO public.salary_benchmarks AS s (location, occupation, median_salary, mean_salary,
		percentile_25, percentile_75, percentile_90, sample_size, data_source,
		source_confidence_score, data_freshness_days, year, metadata)
	SELECT location, occupation, round(jobfleet.percentile(amounts, 0.5), 2), mean,
		round(jobfleet.percentile(amounts, 0.25), 2), round(jobfleet.percentile(amounts, 0.75), 2),
		round(jobfleet.percentile(amounts, 0.9), 2), n, 'postings', NULL,
		greatest(0, current_date - newest), year,
		jsonb_build_object('currency', 'USD', 'soc_code', CASE WHEN names ? code THEN code END,
			'basis', 'middle of the annualised range of each real offer')
	FROM figures WHERE n >= 30 ORDER BY location, occupation, year
	ON CONFLICT (location, occupation, industry, experience_level, education_level, data_source, year, quarter)
	DO UPDATE SET median_salary = excluded.median_salary, mean_salary = excluded.mean_salary,
		percentile_25 = excluded.percentile_25, percentile_75 = excluded.percentile_75,
		percentile_90 = excluded.percentile_90, sample_size = excluded.sample_size,
		data_freshness_days = excluded.data_freshness_days, metadata = excluded.metadata
	WHERE (s.median_salary, s.mean_salary, s.percentile_25, s.percentile_75, s.percentile_90, s.sample_size)
		IS DISTINCT FROM (excluded.median_salary, excluded.mean_salary, excluded.percentile_25,
		excluded.percentile_75, excluded.percentile_90, excluded.sample_size);
	GET DIAGNOSTICS written = ROW_COUNT;
	DROP TABLE touched, figures;
END $$;
